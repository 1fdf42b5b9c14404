"""National identifiers with checksums: Presidio's own recognisers, each behind a trigger so that prose costs nothing."""

import re

from resources.pii_engine import GatedRecognizer

DIGITS = re.compile(r"\d(?:[ .-]?\d){6}")
MIXED = re.compile(r"(?=[A-Za-z]*\d)[A-Za-z0-9]{7,}|\d{6}[-+A]\d{3}[0-9A-Z]")
WORDS = {
    "NATIONAL_ID": r"national|identity|\bid\b|citizen|nif|nie|pesel|aadhaar|nino|insurance|personal|codice|fiscal|tckn|hetu",
    "HEALTH_ID": r"nhs|medicare|health|patient|insurance|npi|mbi",
    "TAX_ID": r"\btax|tfn|abn|acn|itin|vat|\bpan\b|\btin\b",
    "PASSPORT": r"passport",
    "DRIVER_LICENSE": r"driv|licen[cs]e",
    "CRYPTO_WALLET": r"bitcoin|btc|wallet|crypto",
}
# Presidio class, type here, score from which the form alone is believed (1.0: only a checksum).
STOCK = (
    ("CryptoRecognizer", "CRYPTO_WALLET", 0.9, MIXED),
    ("UsItinRecognizer", "TAX_ID", 1.1, DIGITS),
    ("UsPassportRecognizer", "PASSPORT", 1.1, DIGITS),
    ("UsLicenseRecognizer", "DRIVER_LICENSE", 1.1, MIXED),
    ("UsMbiRecognizer", "HEALTH_ID", 1.1, MIXED),
    ("NhsRecognizer", "HEALTH_ID", 1.1, DIGITS),
    ("UkNinoRecognizer", "NATIONAL_ID", 1.1, MIXED),
    ("EsNifRecognizer", "NATIONAL_ID", 1.0, MIXED),
    ("EsNieRecognizer", "NATIONAL_ID", 1.0, MIXED),
    ("ItFiscalCodeRecognizer", "NATIONAL_ID", 1.0, MIXED),
    ("ItDriverLicenseRecognizer", "DRIVER_LICENSE", 1.1, MIXED),
    ("FiPersonalIdentityCodeRecognizer", "NATIONAL_ID", 1.0, MIXED),
    ("SgFinRecognizer", "NATIONAL_ID", 1.0, MIXED),
    ("InPanRecognizer", "TAX_ID", 0.8, MIXED),
    ("InAadhaarRecognizer", "NATIONAL_ID", 1.1, DIGITS),
    ("PlPeselRecognizer", "NATIONAL_ID", 1.1, DIGITS),
    ("AuTfnRecognizer", "TAX_ID", 1.1, DIGITS),
    ("AuMedicareRecognizer", "HEALTH_ID", 1.1, DIGITS),
    ("SePersonnummerRecognizer", "NATIONAL_ID", 1.1, DIGITS),
)


def identifier_recognizers() -> list[GatedRecognizer]:
    import presidio_analyzer.predefined_recognizers as stock

    made = []
    for name, type_, floor, trigger in STOCK:
        context = re.compile(WORDS[type_], re.I)
        made.append(GatedRecognizer(getattr(stock, name)(), type_, trigger, floor, context))
    return made
