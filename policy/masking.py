"""Masks secrets, addresses, payment cards and phone numbers wherever a text is kept.

It takes time linear in the text: the patterns use possessive quantifiers, and start only where
a run of characters starts.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata

import phonenumbers

# Beyond these, what looks like a phone number is masked without asking whether it is one.
MAX_PHONE_CHECKS = 100
CARD_LENGTHS = frozenset({13, 14, 15, 16, 19})
MAX_DIGITS = 19


def mask(text: str) -> str:
    """``text`` with secrets, e-mail and IP addresses, payment cards and phone numbers replaced by what they were.

    Recognised: Discord's bot tokens and webhook URLs, this platform's tokens, bearer tokens and JWTs, keys of
    well-known services, passwords in URLs, values assigned to names such as ``token``; phone numbers of any region
    with +, and US, British and German ones in a national form that cannot be taken for something else.
    """
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    if "@" in text:
        text = _EMAIL.sub(_masked_email, text)
    if ":" in text:
        text = _IPV6.sub(_masked_ipv6, text)
    if "." in text:
        text = _IPV4.sub(_masked_ipv4, text)
    return _NUMBERS.sub(_Numbers(), text)


# ------------------------------------------------------------------- secrets
_BASE64URL = "[A-Za-z0-9_-]"
_SECRETS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END[^-]*-----|\Z)", re.DOTALL),
        "[token]",
    ),
    # scheme://user:password@host
    (re.compile(r"(://[^\s/@:]*+:)[^\s/]*(?=@)"), r"\1[token]"),
    # https://discord.com/api/webhooks/<id>/<token>, also that of an interaction
    (re.compile(r"(/(?:webhooks|interactions)/[0-9]++/)[\w.%-]{8,}+"), r"\1[token]"),
    # A webhook's token by itself
    (re.compile(rf"(?<!{_BASE64URL}){_BASE64URL}{{68}}(?!{_BASE64URL})"), "[token]"),
    # A Discord bot token: id, time, MAC
    (re.compile(rf"(?<!{_BASE64URL}){_BASE64URL}{{18,}}+\.{_BASE64URL}{{6}}\.{_BASE64URL}{{25,}}+"), "[token]"),
    (re.compile(rf"mfa\.{_BASE64URL}{{20,}}+"), "[token]"),
    # A JWT
    (
        re.compile(
            rf"(?<!{_BASE64URL})(?={_BASE64URL}*eyJ){_BASE64URL}++\.{_BASE64URL}{{5,}}+(?:\.{_BASE64URL}*+){{0,3}}"
        ),
        "[token]",
    ),
    (re.compile(rf"(?:ghd_|gh[opsur]_|github_pat_|glpat-|npm_|hf_){_BASE64URL}{{8,}}+"), "[token]"),
    (
        re.compile(
            r"(?<![A-Za-z0-9])(?:"
            rf"(?:sk-|xox[a-z]-|xapp-|ya29\.|SG\.){_BASE64URL}{{10,}}+(?:\.{_BASE64URL}++)?"
            r"|(?:sk|pk|rk|whsec)_(?:live_|test_)?[A-Za-z0-9]{16,}+"
            r"|A[A-Z]IA[A-Z0-9]{16}(?![A-Z0-9])"
            rf"|AIza{_BASE64URL}{{30,}}+"
            r")"
        ),
        "[token]",
    ),
    (re.compile(r"(?i)((?<![a-z0-9])bearer[ \t]{1,4})[a-z0-9._~+/=-]{16,}+"), r"\1[token]"),
    (
        re.compile(
            r"""(?i)((?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|authorization|credentials?|cookie|signature)"""
            r"""["']?[ \t]{0,3}[=:][ \t]{0,3}["']?(?:(?:bearer|basic|bot)[ \t]{1,4})?)[^\s"'&,;<>]{8,}+"""
        ),
        r"\1[token]",
    ),
    # What signs a link, or logs in by it
    (re.compile(r"""([?&](?:hm|sig|key|code|state)=)[^\s"'&<>#]{4,}+"""), r"\1[token]"),
)

# ----------------------------------------------------------------- addresses
_EMAIL = re.compile(r"(?<![\w.%+-])[\w.%+-]++@[\w.-]++")
_IPV6 = re.compile(r"(?<![^\W_])(?<!\.)[0-9A-Fa-f:.]{3,}+")
_IPV4 = re.compile(r"(?<![^\W_])(?<!\.)([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})(?![^\W_])(?!\.[0-9])")


def _masked_email(found: re.Match[str]) -> str:
    address = found[0].rstrip("._-")
    suffix = address.rpartition("@")[2].rpartition(".")
    if not suffix[0] or len(suffix[2]) < 2 or suffix[2].isdecimal():
        return found[0]
    return "[email]" + found[0][len(address) :]


def _masked_ipv6(found: re.Match[str]) -> str:
    run = found[0]
    if run.count(":") < 2 or len(run) > 64 or found.string[found.end() : found.end() + 1].isalnum():
        return run
    address = run.rstrip(".")
    for start, end in ((0, len(address)), (0, len(address) - 1), (1, len(address))):
        try:
            ipaddress.IPv6Address(address[start:end])
        except ValueError:
            continue
        if address[start:end] != "::":
            return f"{run[:start]}[ip]{run[end:]}"
    return run


def _masked_ipv4(found: re.Match[str]) -> str:
    return "[ip]" if all(int(octet) <= 255 for octet in found.groups()) else found[0]


# ------------------------------------------------------- cards, phone numbers
# Groups of digits with up to three separators between them; a letter before the first belongs to another word.
_NUMBERS = re.compile(r"(?:\+|(?<![^\W_]))\(?\d++(?:[ \t\u00a0\u2000-\u200a\u202f\u2010-\u2015()./-]{1,3}+\d++)*+")
_GROUP = re.compile(r"\d+")
_MOBILE = frozenset({phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE})


class _Numbers:
    """Replaces the cards and phone numbers in runs of digit groups."""

    def __init__(self) -> None:
        self._checks = MAX_PHONE_CHECKS

    def __call__(self, found: re.Match[str]) -> str:
        run = found[0]
        if len(run) < 8:
            return run
        groups = [group.span() for group in _GROUP.finditer(run)]
        glued = found.string[found.end() : found.end() + 1].isalnum()
        if glued and not run.startswith("+"):
            groups.pop()
        masked: list[str] = []
        written = place = 0
        while place < len(groups):
            start = groups[place][0]
            hit = self._at(run, groups, place)
            if hit is None:
                place += 1
                continue
            label, count = hit
            while start > written and run[start - 1] in "(+":
                start -= 1
            masked += (run[written:start], label)
            place += count
            written = groups[place - 1][1]
        masked.append(run[written:])
        return "".join(masked)

    def _at(self, run: str, groups: list[tuple[int, int]], place: int) -> tuple[str, int] | None:
        """What starts at this group, and how many groups it takes."""
        opening = groups[place][1] - groups[place][0]
        # Of a long row of single digits and pairs, only the leading 1 of a North American number can matter.
        reach = MAX_DIGITS if opening > 2 or len(groups) <= MAX_DIGITS else 4
        window: list[str] = []
        card = total = 0
        for start, end in groups[place : place + reach]:
            total += end - start
            if total > MAX_DIGITS:
                break
            window.append(_ascii(run[start:end]))
            if total in CARD_LENGTHS and _is_card(window, whole=len(groups)):
                card = len(window)
        if not window:
            return None
        if place == 0 and run.startswith("+"):
            count = self._international(window, lenient=True)
        elif card:
            count = None
        elif window[0].startswith("00"):
            count = self._international([window[0][2:], *window[1:]], lenient=False)
        else:
            count = self._national(window)
        if count is not None:
            return "[phone]", count
        return ("[card]", card) if card else None

    def _international(self, window: list[str], *, lenient: bool) -> int | None:
        """``lenient``: a number of a possible length counts, though nobody was given it."""
        possible: int | None = None
        for count in range(len(window), 0, -1):
            if not 7 <= len("".join(window[:count])) <= 16:
                continue
            number = self._parse("+" + " ".join(window[:count]), None)
            if number is True or (number and phonenumbers.is_valid_number(number)):
                return count
            if lenient and number and possible is None and phonenumbers.is_possible_number(number):
                possible = count
        return possible

    def _national(self, window: list[str]) -> int | None:
        lengths = [len(group) for group in window[:4]]
        if lengths[:3] == [3, 3, 4] and self._is_valid(window[:3], "US"):
            return 3
        if window[0] == "1" and lengths[1:] == [3, 3, 4] and self._is_valid(window[:4], "US"):
            return 4
        if not window[0].startswith("0") or lengths[0] < 3:
            return None
        for count in range(min(5, len(window)), 0, -1):
            digits = len("".join(window[:count]))
            if 9 <= digits <= 15 and any(
                self._is_valid(window[:count], region, mobile=count == 1) for region in ("GB", "DE")
            ):
                return count
        return None

    def _is_valid(self, groups: list[str], region: str, *, mobile: bool = False) -> bool:
        number = self._parse("".join(groups), region)
        if isinstance(number, bool):
            return number
        return phonenumbers.is_valid_number(number) and (not mobile or phonenumbers.number_type(number) in _MOBILE)

    def _parse(self, text: str, region: str | None) -> phonenumbers.PhoneNumber | bool:
        """The number; False when it is none, True when there is no more time to tell."""
        if self._checks <= 0:
            return True
        self._checks -= 1
        try:
            return phonenumbers.parse(text, region)
        except phonenumbers.NumberParseException:
            return False


def _ascii(digits: str) -> str:
    return digits if digits.isascii() else "".join(str(unicodedata.decimal(digit)) for digit in digits)


def _is_card(groups: list[str], *, whole: int) -> bool:
    """Length, issuer's prefix and check digit (Luhn) of a payment card: https://en.wikipedia.org/wiki/Payment_card_number.

    Digits in a row of 17 or 18, or of 19 that start with 1, are Discord ids. Single digits and pairs make a card only
    when they are all that there is.
    """
    digits = "".join(groups)
    match len(digits):
        case 13:
            issued = digits[0] == "4"
        case 14:
            issued = digits[:2] in ("30", "36", "38", "39")
        case 15:
            issued = digits[:2] in ("34", "37")
        case 16:
            issued = digits[0] in "23456" or digits[:2] in ("81", "82")
        case 19:
            issued = digits[0] in "456" or digits[:2] == "35"
        case _:
            issued = False
    if not issued or (len(groups) != whole and min(map(len, groups)) < 3):
        return False
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (doubled + sum(map(int, digits[-1::-2]))) % 10 == 0
