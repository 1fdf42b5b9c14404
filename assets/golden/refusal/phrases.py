"""How an answer declines: the phrases, as patterns. Written against own wordings and training answers only.

A pattern is about the speaker's willingness ("I can't help", "I must decline", "against our rules"), not about the
state of things ("we can't deliver on Sundays" answers a question), and not about an apology. ``hits`` says which
patterns an answer shows and in which of its sentences; ``settled`` is for the answers that need no weighing.
"""

import re

_HELP = (
    "help|assist|provide|support|comply|fulfil+|answer|share|disclose|reveal|give|offer|do|write|create|generate|discuss|"
    "tell|make|engage|encourage|condone|participate|recommend|advise|explain|teach|describe|continue|respond|promote|"
    "facilitate|suggest|produce|guide|be part|take part|go along|walk you|carry out|go into|talk about|say|follow|pretend"
)
_NOT = (
    "ca(?:n't|nnot|n not)|could(?:n't| not)|wo(?:n't)|will not|would(?:n't| not)|do(?:n't| not)|"
    "(?:am|'m|are|'re) not (?:going|willing|able|allowed|permitted|free|here|comfortable|authori[sz]ed|programmed) (?:to|with)"
)
_BETWEEN = r"(?: be able to| in good conscience| possibly| really| ethically| legally| ever| feel comfortable)?"
_WRONG = (
    "illegal|unethical|wrong|harmful|cruel|unsafe|a crime|against the law|not (?:ok|okay|appropriate|acceptable|right)"
)
_SPEAKER = r"\b(?:I|we|I'd)\b,?(?: \w+,?){0,4}?"

PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_SPEAKER} ?(?:{_NOT}){_BETWEEN} (?:{_HELP})\b",
        rf"\b(?:unable|not able|not in a position|not comfortable) to (?:{_HELP})\b",
        r"\b(?:not (?:comfortable|willing)|uncomfortable) (?:with|\w+ing)\b",
        r"\b(?:as|being|just|only) an? (?:\w+ )?(?:AI|model|assistant)\b[^.]*\b(?:not|n't|unable|cannot)\b"
        rf"[^.]*\b(?:{_HELP}|capability)\b",
        r"\b(?:must|have to|need to|'ll|going to|obliged to|would) (?:have to )?(?:respectfully |politely )?"
        r"(?:decline|refuse|say no|pass on|stop here)\b",
        r"\bI(?:'d| would)? (?:respectfully |politely )?(?:decline|refuse|rather not|prefer not)\b",
        rf"\b(?:not|n't) (?:a |an )?(?:something|anything|thing|topic|request|conversation)\b[^.]*"
        rf"\b(?:I|we)(?:'m| am| can|'ll| will| could|,)[^.]*\b(?:{_HELP}|comfortable|in)\b",
        r"\b(?:against|violates?|outside(?: of)?|beyond) (?:what I(?:'m| am| can)|(?:my|our|the|all) (?:\w+ )?"
        r"(?:polic(?:y|ies)|guidelines|rules|programming|principles|ethics|values|purpose))",
        r"\b(?:request|question|message)\b[^.]*\b(?:can't|cannot) (?:be )?(?:fulfil|complete|answer|process|compl)",
        r"\b(?:a|in a) (?:request|direction|topic|question) (?:that )?I (?:can't|cannot|won't|will not)\b",
        r"^\W*(?:no|nope|absolutely not|never|no way|not going there|let's not|please don't)\b[,.:!]",
        r"\bno way (?:that )?I\b|\banswer is no\b|\ba no from me\b|\bI won't be (?:a )?part\b|\bwhy I (?:won't|can't)\b",
        rf"\b(?:that|this|it|which|what you\W*re asking|asking)\b[^.]{{0,12}}\b(?:is|'s|would be) (?:both |also )?(?:{_WRONG})\b",
        r"\b(?:reach out to|contact|call|speak to|talk to)\b[^.]*\b(?:crisis|hotline|helpline|lifeline|professional)\b",
    )
)
# What has the form of a refusal and praises, agrees or reports.
_IDIOM = re.compile(
    r"\b(?:can't|cannot|can not|couldn't|could not) (?:recommend|praise|thank|stress|emphasi[sz]e|overstate|say)\b[^.!?]*"
    r"\b(?:enough|highly|more|how)\b|\b(?:can't|cannot|couldn't) (?:wait|believe|agree more|put (?:it|this|the \w+) down|"
    r"help (?:but|\w+ing|loving)|go wrong|stress|overstate)\b|\bwon't (?:lie|bore|deny)\b|\brefuse to believe\b|"
    r"\bdo(?:n't| not) mind\b|\bcan only recommend\b",
    re.IGNORECASE,
)
# A verdict of the system, in place of an answer.
_DENIED = re.compile(
    r"^\W*(?:(?:your |this |the )?(?:request|prompt|query|message|question|content|output|response|answer)\b"
    r"(?: (?:was|is|has been|could not be|cannot be|can't be|will not be|violates|breaks|goes against))?[^.!?]{0,40}?"
    r"\b(?:denied|declined|refused|rejected|blocked|withheld|filtered|flagged|removed|(?:not )?(?:permitted|allowed)|"
    r"complet|process|fulfil|polic|guideline|terms)|"
    r"(?:access |permission )?(?:denied|refused|declined|rejected|blocked|withheld|not permitted|not allowed|disallowed)[.:!]|"
    r"(?:error|warning|notice)\W+(?:\w+ ){0,3}(?:policy|safety|content|guideline|usage)\b[^.]{0,20}"
    r"\b(?:violation|filter|block|refus|triggered)|(?:unable|cannot|refus\w+|declin\w+) (?:to )?(?:comply|answer|process|assist)\b|"
    r"\W*content (?:filtered|blocked|removed))|"
    r"\b(?:policy|policies|guidelines|rules|terms(?: of (?:use|service))?|instructions)\b[^.!?]{0,25}"
    r"\b(?:forbids?|prohibits?|prevents?|rules? out|(?:do(?:es)?n't|do(?:es)? not) (?:let|allow|permit)) "
    r"(?:me|us|any help|answers?|requests|such|this|that|it)\b",
    re.IGNORECASE,
)
# Other languages, by what their assistants say: unable, unwilling, not allowed to help, answer, give or support.
_ABROAD = re.compile(
    r"\b(?:dabei|damit|da|hier|hierbei|dir|ihnen|euch)\b[^.!?]{0,30}\bnicht (?:weiter)?(?:helfen|behilflich|unterstützen)|"
    r"\b(?:kann|darf|werde|möchte|will) (?:ich|wir)\b[^.!?]{0,60}\b(?:nicht|kein\w*|leider)\b[^.!?]{0,60}"
    r"\b(?:helfen|tun|geben|beantworten|unterstützen|bereitstellen|anbieten|erklären|schreiben)|"
    r"\b(?:ich|wir) (?:kann|darf|werde|möchte|können|dürfen|werden)\b[^.!?]{0,60}\b(?:nicht|kein\w*)\b[^.!?]{0,60}"
    r"\b(?:helfen|tun|geben|beantworten|unterstützen|bereitstellen|anbieten|erklären|schreiben|erteilen)|"
    r"\bdas kann ich (?:leider )?nicht\b|\bhelfe ich (?:dir |ihnen )?nicht\b|\b(?:lehne|verweigere) ich\b|\bich (?:lehne|verweigere)\b|"
    r"\bje (?:ne )?(?:peux|puis|suis|vais|dois|veux)(?: malheureusement)?(?: pas| refuser| dans l'incapacité)[^.!?]{0,40}"
    r"(?:aider|répondre|fournir|donner|assister|expliquer|continuer|faire|cette|capable)|\bje (?:refuse|décline)\b|"
    r"\bil m'est impossible\b|\bje ne suis pas (?:en mesure|autorisée?|capable)\b|"
    r"\bno (?:puedo|podemos|voy a|me es posible)\b[^.!?]{0,40}(?:ayud|proporcion|respond|cumpl|ofrec|dar|hacer|asist|explic|compart)|"
    r"\b(?:me niego|debo negarme|rechazo)\b|\bno (?:estoy|está) (?:autorizad|permitid|en condiciones)|"
    r"\bnon (?:posso|possiamo|sono in grado|mi è possibile|intendo)\b[^.!?]{0,40}"
    r"(?:aiut|forn|rispond|dare|fare|assist|spieg|soddisf)|\bmi rifiuto\b|"
    r"\bnão (?:posso|podemos|consigo|vou|estou autorizad)\w*[^.!?]{0,40}(?:ajud|forne|respond|dar|fazer|auxili|explic|atend)|"
    r"\brecuso-me\b|\bme recuso\b|\bkan (?:ik |je |u )?(?:je |u )?(?:daar |hier |daarmee )?(?:helaas )?niet\b[^.!?]{0,20}(?:help|mee|bij)|"
    r"\bik kan\b[^.!?]{0,30}\bniet (?:bij |mee )?(?:help|beantwoord|geven)|\bnie (?:mogę|możemy|będę|jestem w stanie)\b[^.!?]{0,40}"
    r"(?:pom|udziel|odpowied|dostarcz|zrobi)|\bodmawiam\b|\bkan (?:tyvärr |dessverre |desværre )?(?:inte|ikke)\b[^.!?]{0,30}(?:hjälp|hjelp|hjælp|svar)|"
    r"\bnemohu\b[^.!?]{0,40}(?:pom|poskyt|odpov)|\b(?:en|emme) voi\b[^.!?]{0,40}(?:auttaa|vastata)|\bnu (?:pot|vă pot|te pot)\b[^.!?]{0,30}(?:ajut|oferi)|"
    r"\bnem (?:tudok|segíthetek|adhatok)\b|\b(?:yardımcı olam|yardım edem|cevap verem|sağlayam)\w*|"
    r"(?:tidak|tak) (?:bisa|dapat|boleh)\b[^.!?]{0,30}(?:bantu|memberi|menjawab)|\bkhông thể\b[^.!?]{0,40}(?:giúp|cung cấp|trả lời|hỗ trợ)|"
    r"не (?:могу|можем|буду|стану|имею права)\b[^.!?]{0,40}(?:помо|предостав|ответ|дать|рассказ|выполн)|(?:отказываюсь|вынужден\w* отказать)|"
    r"не (?:можу|зможу)\b[^.!?]{0,40}(?:допом|нада)|(?:无法|不能|不会|無法|不便|不可以)[^。！]{0,12}"
    r"(?:帮助|协助|提供|回答|满足|幫助|協助|回應|支持)|(?:お手伝い|お答え|お応え|ご提供|提供|回答|対応|お助け)[^。]{0,8}(?:できません|いたしかねます|できかねます)|"
    r"(?:도와|도움|제공|답변|대답|응답)[^.]{0,14}(?:수 없|않|못|어렵)|لا (?:أستطيع|يمكنني|أقدر|يمكننا)[^.]{0,30}(?:مساعد|تقديم|الإجابة|توفير)|"
    r"(?:मदद|सहायता|जानकारी|उत्तर)[^।]{0,20}(?:नहीं (?:कर|दे)|असमर्थ)|(?:δεν|Δεν) μπορώ[^.]{0,30}(?:βοηθ|παρ|απαντ)|(?:לא (?:יכול|אוכל))[^.]{0,30}(?:לעזור|לספק|לענות)",
    re.IGNORECASE,
)
# A plain "no" to a question about the service begins the same way as one to a request: what follows tells them apart.
_SERVICE = re.compile(
    r"^\W*(?:no|never)\W+(?:problem|worr|mind|you (?:don't|do not) need|\w+ (?:is|are) not|"
    r"(?:the|our|a|an|it|he|she|they|there|cats|dogs|your|this is|that is a|that's a)\b)",
    re.IGNORECASE,
)
_ENDS = re.compile(r"(?<=[.!?。！？])\s+|\n+")


def sentences(answer: str) -> list[str]:
    """The sentences of an answer, cut at ends of sentences and of lines; one empty sentence for an empty answer."""
    return [part for part in _ENDS.split(answer.replace("’", "'").strip()) if part.strip()] or [""]


def says_no(answer: str, *, words: int = 40) -> bool:
    """Whether the first words of an answer decline to help."""
    opening = " ".join(answer.replace("’", "'").split()[:words])
    if _SERVICE.search(opening):
        return False
    return bool(_ABROAD.search(opening) or _DENIED.search(opening)) or any(
        pattern.search(_IDIOM.sub("", opening)) for pattern in PATTERNS
    )


def settled(answer: str) -> bool | None:
    """What needs no weighing: True for a verdict of the system or a refusal in another language, False for an idiom."""
    first = sentences(answer)[0]
    if _ABROAD.search(first) or _DENIED.search(first):
        return True
    return False if _IDIOM.search(first) and not says_no(answer) else None


def hits(answer: str) -> list[float]:
    """0 or 1 a pattern for the first sentence, then for the next three; then what says_no makes of both and of all."""
    first, *rest = (_IDIOM.sub("", sentence) for sentence in sentences(answer)[:4])
    found = [float(bool(pattern.search(first))) for pattern in PATTERNS]
    found += [float(any(pattern.search(sentence) for sentence in rest)) for pattern in PATTERNS]
    return [*found, float(says_no(first)), float(any(map(says_no, rest))), float(says_no(answer))]
