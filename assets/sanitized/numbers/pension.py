"""The check digit of a German pension insurance number (VKVV, section 4), which also is the number of social insurance.

>>> is_valid("15 070649 C 103"), is_valid("15070649C104")
(True, False)
"""

import re

SHAPE = re.compile(r"\d{8}[A-Z]\d{3}")
WEIGHTS = (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1)


def is_valid(value: str) -> bool:
    """Whether the last digit is right: the digits, the letter as its two-digit place in the alphabet, weighted."""
    plain = re.sub(r"\s", "", value.upper())
    if SHAPE.fullmatch(plain) is None:
        return False
    digits = f"{plain[:8]}{ord(plain[8]) - 64:02d}{plain[9:11]}"
    total = sum(sum(divmod(int(digit) * weight, 10)) for digit, weight in zip(digits, WEIGHTS, strict=True))
    return total % 10 == int(plain[-1])
