"""How assistants decline in other languages: unable, unwilling or not allowed to help, answer, write or tell.

German, French, Spanish, Italian, Dutch and Portuguese by their grammar: the speaker, a negation and a verb of telling or
helping; or a verdict on the request. "We do not deliver on Sundays" has the first two and another verb: it answers.
Other languages by their commonest formulas.
"""

import re

_NEAR, _FAR = r"[^.!?;]{0,40}", r"[^.!?;]{0,60}"

_GERMAN_TELL = (
    "helfen|behilflich|unterstützen|sagen|verraten|mitteilen|nennen|herausgeben|weitergeben|bekannt ?geben|beantworten|"
    "kommentieren|besprechen|eingehen|nachkommen|entsprechen|preisgeben|offenlegen|bereitstellen|antworten|Auskunft"
)
_GERMAN_DO = (
    "tun|machen|geben|schreiben|verfassen|erstellen|erklären|anbieten|erteilen|liefern|reden|sprechen|weiterhelfen"
)
_GERMAN_NOT = r"(?:nicht|nichts|kein\w*)"
_GERMAN_CAN = "kann|darf|werde|möchte|will|würde"
_GERMAN = (
    rf"\b(?:ich|wir|können|dürfen|werden|möchten|{_GERMAN_CAN})\b{_FAR}\b{_GERMAN_NOT}{_FAR}\b(?:{_GERMAN_TELL})",
    rf"\b(?:ich (?:{_GERMAN_CAN})|(?:{_GERMAN_CAN}) ich)\b{_FAR}\b{_GERMAN_NOT}{_FAR}\b(?:{_GERMAN_DO})",
    rf"\b(?:sage|verrate|gebe|schreibe|helfe|mache?|antworte|erkläre|rede|spreche|verfasse|beantworte|nenne|leiste|teile) (?:ich|wir)\b"
    rf"{_NEAR}\b{_GERMAN_NOT}\b",
    rf"\bich (?:sage|verrate|helfe|antworte|beantworte|gebe|leiste|schreibe|verfasse)\b{_NEAR}\b{_GERMAN_NOT}\b"
    rf"(?: (?:Auskunft|Hilfe|Antwort)|{_NEAR}\b(?:dazu|darüber|davon))?",
    rf"\bdas kann ich (?:leider )?nicht\b|\b(?:kein\w*) (?:Auskunft|Angaben|Hilfe)\b{_NEAR}\b(?:gebe|geben|machen|erteil\w+|leisten?)\b",
    r"\b(?:lehne|verweigere|weigere) ich\b|\bich (?:lehne|verweigere|weigere)\b|\bich (?:muss|möchte) [^.!?]{0,40}(?:ablehnen|zurückweisen)",
    r"\b(?:mir|uns) (?:leider )?(?:nicht (?:möglich|erlaubt|gestattet)|untersagt|verboten)\b|\bsteht (?:mir|uns) nicht zu\b",
    r"\b(?:Anfrage|Antrag|Bitte|Gesuch|Ersuchen|Zugriff|Zugang|Inhalt)\b[^.!?]{0,20}\b(?:abgelehnt|verweigert|blockiert|gesperrt)\b",
    rf"\b(?:kommt|käme)\b{_NEAR}\bnicht (?:infrage|in Frage)|\b(?:gegen|widerspricht)\b{_NEAR}\b(?:Richtlinien|Nutzungsbedingungen|"
    r"Grundsätze|Vorgaben)\b|\bohne mich\b",
)

_FRENCH_TELL = (
    "aid|répon|fourni|donn|assist|expliqu|dire|révél|communiqu|partag|divulgu|écri|rédig|parl|discut|comment|trait|"
    "accéd|satisfai|transmett"
)
_FRENCH = (
    r"\bje (?:ne |n')?(?:peux|puis|suis|vais|dois|veux|souhaite|saurais)(?: malheureusement)?(?: pas| refuser| dans l'incapacité)?"
    rf"{_NEAR}\b(?:refuser|incapable)|\bje (?:ne |n')?(?:peux|puis|vais|dois|veux|souhaite|saurais)(?: malheureusement)? ?pas"
    rf"{_NEAR}\b(?:{_FRENCH_TELL}|faire|continu|cette)|\bje ne puis {_NEAR}(?:{_FRENCH_TELL})",
    rf"\b(?:je|nous|on) (?:ne |n')(?:vous |te |t'|lui |leur |le |la |l'|y )*(?:{_FRENCH_TELL}|fer|fai|di[st])\w*"
    r" (?:pas|rien|point|jamais|aucun)\b",
    r"\b(?:je ne suis|nous ne sommes) pas (?:en mesure|autorisé|capable|habilité|en droit)\w*",
    rf"\bnous ne pouvons pas{_NEAR}(?:aid|répon|communiqu|divulgu|partag|donner suite|révél|transmett)",
    r"\bje (?:refuse|décline|préfère ne pas|préfère m'abstenir|me vois (?:contraint|obligé)\w*)\b",
    r"\bil (?:m'est|nous est) (?:impossible|interdit)\b|\bimpossible (?:pour moi|de (?:vous|t)['\w]* ?(?:aid|répon|dire|donn)|d'y)",
    r"\b(?:demande|requête|accès|question)\b[^.!?]{0,20}\b(?:refusé|rejeté|bloqué|décliné)e?\b|\baccès interdit\b",
    r"\bhors de question\b|\bpas question (?:que|de|pour)\b|\bcontraires? (?:à|aux) (?:nos|mes|notre|nos) (?:règles|principes|conditions)",
    r"\b(?:ce n'est|n'est) pas à moi (?:de|d')\b|\b(?:pas|donner\w*) (?:donner )?suite à (?:cette|votre|ta) (?:demande|requête)",
)

_SPANISH_TELL = (
    "ayud|proporcion|respond|contest|cumpl|ofrec|asist|explic|compart|facilit|revel|deci|escrib|redact|habl|coment|atend|"
    "suministr|divulg|comunic|trat"
)
_SPANISH = (
    rf"\bno (?:te |le |se lo |lo )?(?:puedo|debo|voy a|quiero|pienso|me es posible)\b{_NEAR}(?:{_SPANISH_TELL}|\bdar|hacer)",
    rf"\bno podemos\b{_NEAR}(?:ayud|proporcion|respond|contest|facilit|revel|divulg|compart|atender su (?:petición|solicitud))",
    r"\bno (?:me|nos) (?:está|es) permitid|\bno (?:tengo|tenemos) (?:permitid|permiso|autoriza)\w*|\bno (?:estoy|estamos|está) "
    r"(?:autorizad|permitid|en condiciones)",
    rf"\bno (?:te |le |les |lo |la |se lo )*(?:{_SPANISH_TELL}|dar|har|dir)\w*(?:é|emos)\b",
    r"\bno (?:te |le |les |lo |la |los |se lo )*(?:hago|digo|escribo|respondo|contesto|doy|comparto|revelo|ayudo|toco|trato|facilitamos|"
    r"compartimos|divulgamos|revelamos|proporcionamos)\b",
    r"\b(?:me niego|debo negarme|rechazo|declino|me abstengo|prefiero no|prefiero dejarlo|ni hablar|me veo obligad\w+ a)\b",
    r"\b(?:solicitud|petición|acceso|consulta)\b[^.!?]{0,20}\b(?:denegad|rechazad|bloquead)|\bse (?:deniega|rechaza|desestima)\b",
    r"\b(?:contrari[oa]s?|(?:en )?contra de|infring\w+|viola) (?:a |las? )?(?:nuestr|mis|las normas|la política)",
)

_ITALIAN_TELL = (
    "aiut|forn|rispond|assist|spieg|soddisf|rivel|comunic|condivid|scriv|redig|parl|tratt|comment|divulg|accogl"
)
_ITALIAN = (
    rf"\bnon (?:ti |le |lo |la )?(?:posso|devo|voglio|intendo|sono in grado|mi è possibile)\b{_NEAR}(?:{_ITALIAN_TELL}|\bdar|\bfar|\bdir)",
    rf"\bnon possiamo\b{_NEAR}(?:aiut|forni|rispond|rivel|comunic|condivid|divulg|soddisf)",
    r"\bnon (?:mi|ci) è (?:permesso|consentito|concesso)|\bnon (?:sono|siamo) autorizzat",
    rf"\bnon (?:ti |le |vi |lo |la )*(?:{_ITALIAN_TELL}|dar|far|dir)\w*(?:ò|emo)\b",
    r"\bnon (?:ti |le |lo |la |te lo |glielo )*(?:faccio|dico|scrivo|aiuto|rivelo|rispondo|parlo|tratto|comunichiamo|divulghiamo|"
    r"condividiamo|riveliamo)\b",
    r"\b(?:mi rifiuto|rifiuto di|preferisco non|preferirei non|mi astengo|declino|non se ne parla|costrett\w a (?:rifiutare|declinare))\b",
    r"\b(?:richiesta|accesso|domanda)\b[^.!?]{0,20}\b(?:respint|rifiutat|negat|bloccat)|\bcontrari[oa] (?:al\w*) (?:nostr|mie)|"
    r"\bviola (?:le|i) (?:nostr|mie)",
)

_DUTCH_TELL = "help|beantwoord|antwoord|verstrek|delen|vertel|zeggen|doorgeven|prijsgeven|ingaan|bespreken|meewerk|voldoen|in behandeling"
_DUTCH = (
    rf"\b(?:kan|mag|wil|zal|ga) (?:ik|wij|we)\b{_NEAR}\b(?:niet|niets|geen)\b{_NEAR}(?:{_DUTCH_TELL}|geven|schrijven|doen|mee|bij)",
    rf"\b(?:kan|mag|wil|zal|ga) ik\b{_NEAR}\b(?:helaas )?niet\b|\bik (?:kan|mag|wil|zal|ga)\b{_FAR}\b(?:niet|niets|geen)\b"
    rf"{_NEAR}(?:{_DUTCH_TELL}|geven|schrijven|doen|mee)",
    rf"\b(?:wij|we) (?:kunnen|mogen|willen|zullen|gaan)\b{_FAR}\b(?:niet|niets|geen)\b{_NEAR}(?:{_DUTCH_TELL})",
    rf"\b(?:daar|dat|hier|dit|dingen|vraag|zoiets|daarover|hierover)\b{_NEAR}"
    r"\b(?:doe|begin|werk|help|schrijf|geef|zeg|vertel|praat|beantwoord) ik\b[^.!?]{0,15}\b(?:niet|niets|liever)\b",
    rf"\b(?:ik weiger|ik wijs|ik bedank|ik pas|geen sprake van|zonder mij|genoodzaakt)\b|\b(?:wij|we) geven geen\b{_NEAR}\bgegevens\b",
    r"\b(?:verzoek|aanvraag|toegang|vraag)\b[^.!?]{0,20}\b(?:geweigerd|afgewezen|geblokkeerd)\b|\b(?:mij|ons) niet toegestaan\b",
    r"\b(?:in strijd met|tegen) (?:onze|mijn|de) (?:\w+ )?(?:regels|richtlijnen|beleid|voorwaarden)\b",
)

_PORTUGUESE_TELL = "ajud|forne|respond|auxili|explic|atend|partilh|compartilh|revel|dizer|escrev|redig|falar|comunic|divulg|coment|trat"
_PORTUGUESE = (
    rf"\bnão (?:te |lhe |o |a )?(?:posso|devo|quero|consigo|vou|estou autorizad\w)\b{_NEAR}(?:{_PORTUGUESE_TELL}|\bdar|fazer)",
    rf"\bnão podemos\b{_NEAR}(?:ajud|fornec|respond|revel|comunic|partilh|compartilh|divulg|atender ao)",
    r"\bnão (?:me|nos) é permitid|\bnão (?:tenho|temos) (?:permissão|autoriza)|\bnão (?:estou|estamos) autorizad",
    rf"\bnão (?:te |lhe |o |a )*(?:{_PORTUGUESE_TELL}|dar|far|dir)\w*(?:ei|emos)\b",
    r"\b(?:não (?:te |lhe |o |a )*(?:digo|escrevo|respondo|dou|partilho|compartilho|revelo|ajudo|trato|divulgamos|fornecemos|"
    r"partilhamos|revelamos)|(?:isso|isto) (?:eu )?não faço)\b",
    r"\b(?:recuso-me|me recuso|prefiro não|declino|nem pensar|obrigad\w a (?:recusar|declinar))\b",
    r"\b(?:pedido|solicitação|acesso)\b[^.!?]{0,20}\b(?:recusad|negad|rejeitad|bloquead)|\b(?:contra|viola|contrári[oa]s? (?:à|a)s?) (?:as |os )?"
    r"(?:nossas|nossos|minhas|regras|diretrizes|políticas)",
)

_OTHERS = (
    r"\bnie (?:mogę|możemy|będę|jestem w stanie)\b[^.!?]{0,40}"
    r"(?:pom|udziel|odpowied|dostarcz|zrobi)|\bodmawiam\b|\bkan (?:tyvärr |dessverre |desværre )?(?:inte|ikke)\b[^.!?]{0,30}(?:hjälp|hjelp|hjælp|svar)|"
    r"\bnemohu\b[^.!?]{0,40}(?:pom|poskyt|odpov)|\b(?:en|emme) voi\b[^.!?]{0,40}(?:auttaa|vastata)|\bnu (?:pot|vă pot|te pot)\b[^.!?]{0,30}(?:ajut|oferi)|"
    r"\bnem (?:tudok|segíthetek|adhatok)\b|\b(?:yardımcı olam|yardım edem|cevap verem|sağlayam)\w*|"
    r"(?:tidak|tak) (?:bisa|dapat|boleh)\b[^.!?]{0,30}(?:bantu|memberi|menjawab)|\bkhông thể\b[^.!?]{0,40}(?:giúp|cung cấp|trả lời|hỗ trợ)|"
    r"не (?:могу|можем|буду|стану|имею права)\b[^.!?]{0,40}(?:помо|предостав|ответ|дать|рассказ|выполн)|(?:отказываюсь|вынужден\w* отказать)|"
    r"не (?:можу|зможу)\b[^.!?]{0,40}(?:допом|нада)|(?:无法|不能|不会|無法|不便|不可以)[^。！]{0,12}"
    r"(?:帮助|协助|提供|回答|满足|幫助|協助|回應|支持)|(?:お手伝い|お答え|お応え|ご提供|提供|回答|対応|お助け)[^。]{0,8}(?:できません|いたしかねます|できかねます)|"
    r"(?:도와|도움|제공|답변|대답|응답)[^.]{0,14}(?:수 없|않|못|어렵)|لا (?:أستطيع|يمكنني|أقدر|يمكننا)[^.]{0,30}(?:مساعد|تقديم|الإجابة|توفير)|"
    r"(?:मदद|सहायता|जानकारी|उत्तर)[^।]{0,20}(?:नहीं (?:कर|दे)|असमर्थ)|(?:δεν|Δεν) μπορώ[^.]{0,30}(?:βοηθ|παρ|απαντ)|(?:לא (?:יכול|אוכל))[^.]{0,30}(?:לעזור|לספק|לענות)",
)

ABROAD = re.compile(
    "|".join((*_GERMAN, *_FRENCH, *_SPANISH, *_ITALIAN, *_DUTCH, *_PORTUGUESE, *_OTHERS)),
    re.IGNORECASE,
)
