# ruff: noqa: E501 - a pattern broken over lines is harder to read than a long one
"""The words of addresses, as regular-expression alternations: street types, endings, states, countries."""

STREET = (
    r"(?:streets?|str|st|avenue|ave|av|road|rd|boulevard|blvd|lane|ln|drive|dr|highway|hwy|parkway|pkwy|crescent|terrace|"
    r"turnpike|expressway|freeway|circle|cir)"
)
# Types that are ordinary words too: they count only when capitalised, after a number and a name.
STREET_CAPITAL = (
    r"(?:Court|Ct|Place|Pl|Squares?|Sq|Way|Close|Alley|Trail|Row|Walk|Mews|Gardens?|Grove|Hills?|Quay|Plaza|Loop|Pike|Route|Run|"
    r"Bridge|Crossing|Heights|Hts|Points?|Pt|Ridges?|Parks?|Greens?|Views?|Villages?|Estates?|Manors?|Stations?|Forts?|Isle|"
    r"Islands?|Junctions?|Unions?|Coves?|Springs?|Valleys?|Meadows?|Fields?|Forests?|Glens?|Havens?|Harbors?|Knolls?|Lakes?|"
    r"Landing|Mall|Missions?|Mountains?|Orchard|Oval|Pass|Path|Pines?|Plains?|Ports?|Prairie|Ramp|Ranch|Rapids?|Rest|River|"
    r"Shoals?|Shores?|Spurs?|Stravenue|Streams?|Summit|Throughway|Trace|Track|Trafficway|Tunnel|Underpass|Viaduct|Ville|Vista|"
    r"Wall|Wells?|Esplanade|Causeway|Club|Creek|Crest|Dale|Dam|Divide|Falls?|Ferry|Flats?|Fords?|Forges?|Forks?|Gateway|Hollow|"
    r"Inlet|Keys?|Lights?|Locks?|Lodge|Mills?|Neck|Overpass|Parkways?|Plaza|Radial|Skyway|Turnpike|Bypass|Brook|Branch|Bluffs?|"
    r"Bend|Beach|Bayou|Burgs?|Camp|Canyon|Cape|Centers?|Circles?|Cliffs?|Commons?|Corners?|Courts|Course|Curve|Extensions?|Drives|Stream)"
)
STREET_LOWER = r"(?:streets?|st|avenue|ave|road|rd|boulevard|blvd|drive|dr|lane|ln|hwy|highway|parkway|nagar|colony|(?:street|avenue|road|drive)[a-z]{2,24})\b"
PREFIX = (
    r"(?:rue|avenue|boulevard|bd\.?|chemin|impasse|allée|place|quai|route|cours|via|viale|piazza|corso|vicolo|largo|strada|"
    r"calle|c/|avenida|avda\.?|av\.|paseo|plaza|carrera|cra\.?|camino|ronda|rua|rúa|travessa|praça|alameda|rodovia|estrada|"
    r"ulica|ul\.|al\.|aleja|pl\.|os\.|jalan|jl\.|ulitsa|prospekt|straat|λεωφόρος|οδός|πλατεία|bulevardul|str\.|sok\.|cad\.|trg)"
)
ENDING = (
    r"(?:stra(?:ß|ss)e|str\.|weg|platz|gasse|allee|ring|damm|ufer|gatan|gata|gate|vägen|veien|vegen|vej|veg|väg|gränd|gränden|"
    r"gade|stræti|stræde|katu|tie|kuja|polku|tee|maantee|puiestee|tänav|straat|laan|dijk|kade|plein|hof|singel|gracht|stien|"
    r"torg|torget|torv|bakken|backen|terrasse|terrassen|allé|alléen|utca|útja|tér|körút|köz|sétány|náměstí|ulice|vollen|"
    r"stigen|plass|pad|steeg|wal)"
)
HUNGARIAN = r"(?:u\.|utca|út|útja|tér|krt\.|körút|köz|rkp\.)"
_US = "AK AL AR AZ CA CO CT DC DE FL GA HI IA ID IL IN KS KY LA MA MD ME MI MN MO MS MT NC ND NE NH NJ NM NV NY OH OK OR PA RI SC SD TN TX UT VA VT WA WI WV WY"
STATE = r"(?:[A-Z]{2}|NSW|VIC|QLD|TAS|ACT|nan)"
STATE_LOWER = "(?:" + "|".join(code.lower() for code in _US.split()) + ")"
COUNTRY = (
    r"(?:United States(?: of America)?|USA|U\.S\.A\.|United Kingdom|UK|England|Scotland|Wales|Ireland|Canada|Australia|New Zealand|"
    r"South Africa|South Korea|North Macedonia|Czech Republic|Czechia|Slovakia|Slovenia|Croatia|Serbia|Bosnia|Hungary|Poland|"
    r"Germany|Austria|Switzerland|Liechtenstein|France|Belgium|Netherlands|The Netherlands|Luxembourg|Spain|Portugal|Italy|"
    r"Greece|Cyprus|Malta|Denmark|Sweden|Norway|Finland|Iceland|Greenland|Greenlander|Estonia|Latvia|Lithuania|Russia|Ukraine|"
    r"Belarus|Romania|Bulgaria|Turkey|Israel|Egypt|Tunisia|Morocco|Nigeria|Kenya|India|Pakistan|Bangladesh|Sri Lanka|China|"
    r"Japan|Korea|Taiwan|Hong Kong|Singapore|Malaysia|Indonesia|Philippines|Thailand|Vietnam|Brazil|Argentina|Chile|Peru|"
    r"Colombia|Uruguay|Paraguay|Venezuela|Ecuador|Bolivia|Mexico|Puerto Rico|Saudi Arabia|United Arab Emirates|UAE|Qatar)"
)
