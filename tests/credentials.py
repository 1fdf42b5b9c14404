"""Credentials of many providers, built at run time from their published formats, and texts that only look like them.

Nothing here is a credential: every random part is drawn afresh from a seeded generator and the prefixes are kept apart
from it, so that no scanner finds this file.
"""

import base64
import json
import random
import string
import uuid
from collections.abc import Callable, Iterator

ALNUM = string.ascii_letters + string.digits
LOWER = string.ascii_lowercase + string.digits
UPPER = string.ascii_uppercase + string.digits
HEX = "0123456789abcdef"
URLSAFE = ALNUM + "-_"
B64 = ALNUM + "+/"

# Provider: parts of the token; a tuple is (alphabet, length), a string stands as it is.
Part = str | tuple[str, int]
FORMATS: dict[str, tuple[Part, ...]] = {
    "aws access key": ("AK" + "IA", (UPPER.translate(str.maketrans("", "", "0189")), 16)),
    "aws session key": ("AS" + "IA", (UPPER.translate(str.maketrans("", "", "0189")), 16)),
    "github classic": ("gh" + "p_", (ALNUM, 36)),
    "github app": ("gh" + "s_", (ALNUM, 36)),
    "github oauth": ("gh" + "o_", (ALNUM, 36)),
    "github fine-grained": ("github" + "_pat_", (ALNUM, 22), "_", (ALNUM, 59)),
    "gitlab personal": ("gl" + "pat-", (URLSAFE, 20)),
    "gitlab deploy": ("gl" + "dt-", (URLSAFE, 20)),
    "gitlab runner": ("gl" + "rt-", (URLSAFE, 20)),
    "slack bot": ("xo" + "xb-", (string.digits, 12), "-", (string.digits, 13), "-", (ALNUM, 24)),
    "slack user": (
        "xo" + "xp-",
        (string.digits, 12),
        "-",
        (string.digits, 12),
        "-",
        (string.digits, 12),
        "-",
        (HEX, 32),
    ),
    "slack app": ("xa" + "pp-1-A", (UPPER, 10), "-", (string.digits, 13), "-", (HEX, 64)),
    "slack webhook": ("https://hooks." + "slack.com/services/T", (UPPER, 8), "/B", (UPPER, 8), "/", (ALNUM, 24)),
    "stripe secret": ("sk" + "_live_", (ALNUM, 24)),
    "stripe restricted": ("rk" + "_live_", (ALNUM, 24)),
    "stripe webhook": ("wh" + "sec_", (ALNUM, 32)),
    "google api": ("AI" + "za", (URLSAFE, 35)),
    "google oauth secret": ("GOC" + "SPX-", (URLSAFE, 28)),
    "google access": ("ya" + "29.", (URLSAFE, 60)),
    "openai project": ("sk-" + "proj-", (URLSAFE, 74), "T3Blbk" + "FJ", (URLSAFE, 74)),
    "openai classic": ("sk" + "-", (ALNUM, 20), "T3Blbk" + "FJ", (ALNUM, 20)),
    "anthropic": ("sk-" + "ant-api03-", (URLSAFE, 93), "AA"),
    "hugging face": ("hf" + "_", (string.ascii_letters, 34)),
    "npm": ("np" + "m_", (ALNUM, 36)),
    "pypi": ("pypi-" + "AgEIcHlwaS5vcmc", (URLSAFE, 70)),
    "sendgrid": ("S" + "G.", (URLSAFE, 22), ".", (URLSAFE, 43)),
    "twilio api key": ("S" + "K", (HEX, 32)),
    "mailgun": ("ke" + "y-", (HEX, 32)),
    "mailchimp": ((HEX, 32), "-us12"),
    "square access": ("sq0" + "atp-", (URLSAFE, 22)),
    "square oauth": ("sq0" + "csp-", (URLSAFE, 43)),
    "shopify access": ("shp" + "at_", (HEX, 32)),
    "shopify shared": ("shp" + "ss_", (HEX, 32)),
    "digitalocean": ("do" + "p_v1_", (HEX, 64)),
    "doppler": ("dp" + ".pt.", (ALNUM, 43)),
    "databricks": ("da" + "pi", (HEX, 32)),
    "atlassian": ("ATATT" + "3xFfGF0", (URLSAFE, 180), "=", (HEX.upper(), 8)),
    "bitbucket app": ("AT" + "BB", (ALNUM, 32)),
    "azure client secret": ((ALNUM, 3), "8" + "Q~", (ALNUM, 34)),
    "discord bot": ("M", (ALNUM, 25), ".", (URLSAFE, 6), ".", (URLSAFE, 38)),
    "telegram bot": ((string.digits, 10), ":A" + "A", (URLSAFE, 33)),
    "facebook": ("EA" + "AC", (ALNUM, 120)),
    "linear": ("lin" + "_api_", (ALNUM, 40)),
    "notion": ("nt" + "n_", (ALNUM, 46)),
    "postman": ("PM" + "AK-", (HEX, 24), "-", (HEX, 34)),
    "pulumi": ("pu" + "l-", (HEX, 40)),
    "terraform": ((ALNUM, 14), ".atlas" + "v1.", (ALNUM, 67)),
    "vault": ("hv" + "s.", (URLSAFE, 90)),
    "grafana service": ("gl" + "sa_", (ALNUM, 32), "_", (HEX, 8)),
    "grafana cloud": ("gl" + "c_", (ALNUM, 60)),
    "new relic": ("NR" + "AK-", (UPPER, 27)),
    "sentry user": ("snt" + "ryu_", (HEX, 64)),
    "supabase": ("sb" + "p_", (HEX, 40)),
    "planetscale": ("psc" + "ale_tkn_", (URLSAFE, 43)),
    "airtable": ("pa" + "t", (ALNUM, 14), ".", (HEX, 64)),
    "figma": ("fi" + "gd_", (URLSAFE, 40)),
    "age": ("AGE-" + "SECRET-KEY-1", (UPPER, 58)),
    "alibaba": ("LT" + "AI", (ALNUM, 20)),
    "brevo": ("xkey" + "sib-", (HEX, 64), "-", (ALNUM, 16)),
    "clojars": ("CLO" + "JARS_", (LOWER, 60)),
    "circleci": ("CCI" + "PAT_", (ALNUM, 22), "_", (HEX, 40)),
    "contentful": ("CF" + "PAT-", (URLSAFE, 43)),
    "docker": ("dckr" + "_pat_", (URLSAFE, 27)),
    "duffel": ("duf" + "fel_live_", (URLSAFE, 43)),
    "dynatrace": ("dt0" + "c01.", (UPPER, 24), ".", (UPPER, 64)),
    "easypost": ("EZ" + "AK", (ALNUM, 54)),
    "flutterwave": ("FLW" + "SECK-", (HEX, 32), "-X"),
    "frame.io": ("fio" + "-u-", (URLSAFE, 64)),
    "hubspot": ("pat" + "-na1-", (HEX, 8), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 12)),
    "infracost": ("ic" + "o-", (ALNUM, 32)),
    "groq": ("gs" + "k_", (ALNUM, 52)),
    "xai": ("xa" + "i-", (ALNUM, 80)),
    "perplexity": ("pp" + "lx-", (ALNUM, 48)),
    "replicate": ("r" + "8_", (ALNUM, 37)),
    "nvidia": ("nva" + "pi-", (URLSAFE, 64)),
    "langsmith": ("ls" + "v2_pt_", (HEX, 32), "_", (HEX, 10)),
    "prefect": ("pn" + "u_", (LOWER, 36)),
    "readme": ("rd" + "me_", (LOWER, 70)),
    "rubygems": ("ruby" + "gems_", (HEX, 48)),
    "shippo": ("ship" + "po_live_", (HEX, 40)),
    "sonarqube": ("sq" + "p_", (HEX, 40)),
    "sourcegraph": ("sg" + "p_", (HEX, 40)),
    "tailscale": ("tsk" + "ey-auth-", (ALNUM, 12), "CNTRL-", (ALNUM, 32)),
    "typeform": ("tf" + "p_", (ALNUM, 44)),
    "razorpay": ("rzp" + "_live_", (ALNUM, 14)),
    "nuget": ("oy" + "2", (LOWER, 43)),
    "artifactory": ("AKC" + "p", (ALNUM, 69)),
    "jwt": ("ey" + "JhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.ey" + "J", (URLSAFE, 60), ".", (URLSAFE, 43)),
    "braintree": ("access_token" + "$production$", (LOWER, 16), "$", (HEX, 32)),
    "plaid": ("access" + "-production-", (HEX, 8), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 12)),
}
# Formats without a prefix, as they stand in code and configuration: {value} is (alphabet, length).
BOUND: dict[str, tuple[str, str, int]] = {
    "aws secret": ("aws_secret_access_key = {value}", B64, 40),
    "twilio auth token": ('TWILIO_AUTH_TOKEN="{value}"', HEX, 32),
    "datadog": ("DD_API_KEY: {value}", HEX, 32),
    "algolia": ('algolia_api_key := "{value}"', HEX, 32),
    "heroku": ("HEROKU_API_KEY={value}", "uuid", 36),
    "fastly": ("fastlyToken = '{value}'", URLSAFE, 32),
    "okta": ('"okta_api_token": "{value}"', URLSAFE, 42),
    "azure storage": ("DefaultEndpointsProtocol=https;AccountName=store1;AccountKey={value}==", B64, 86),
    "postgres url": ("DATABASE_URL=postgres" + "://app:{value}@db.internal:5432/main", ALNUM, 16),
    "mongodb url": ("mongodb+srv" + "://admin:{value}@cluster0.mongodb.net/test", ALNUM, 18),
    "redis url": ("redis" + "://:{value}@10.2.3.4:6379/0", ALNUM, 20),
    "basic auth": ("Authorization: Basic {value}==", B64, 30),
    "bearer": ('curl -H "Authorization: Bearer {value}" https://api.vendor.test/v1', URLSAFE, 40),
    "password in yaml": ("db:\n  user: app\n  password: {value}", ALNUM + "!#%", 14),
    "password in prose": ("you can log in, the password is {value} for now", ALNUM + "!#", 12),
    "client secret": ('client_secret: "{value}"', URLSAFE, 40),
    "signing key": ("SIGNING_KEY='{value}'", B64, 44),
    "docker login": ("docker login -u ci --password {value} registry.test", ALNUM, 24),
}
CARRIERS = (
    "{value}",
    "use {value} for the sandbox",
    'token = "{value}"',
    "export KEY={value}\n",
    "here you go: {value}. thanks!",
)


def credentials(seed: int) -> Iterator[tuple[str, str, str]]:
    """``(provider, text, secret)``: each provider in two carriers."""
    rng = random.Random(seed)
    for provider, parts in FORMATS.items():
        for carrier in rng.sample(CARRIERS, 2):
            value = "".join(part if isinstance(part, str) else draw(rng, *part) for part in parts)
            yield provider, carrier.format(value=value), value
    for provider, (template, alphabet, length) in BOUND.items():
        value = str(uuid.UUID(int=rng.getrandbits(128))) if alphabet == "uuid" else draw(rng, alphabet, length)
        yield provider, template.format(value=value), value
    for kind in ("RSA ", "EC ", "OPENSSH ", ""):
        body = "\n".join(draw(rng, B64, 64) for _ in range(4))
        pem = f"-----BEGIN {kind}PRIV" + f"ATE KEY-----\n{body}\n-----END {kind}PRIV" + "ATE KEY-----"
        yield f"private key {kind}".strip(), f"my key:\n{pem}\n", body


def draw(rng: random.Random, alphabet: str, length: int) -> str:
    return "".join(rng.choice(alphabet) for _ in range(length))


def look_alikes(seed: int, each: int = 12) -> Iterator[tuple[str, str]]:
    """``(kind, text)``: no credentials, though they look random."""
    rng = random.Random(seed)
    kinds: dict[str, Callable[[], str]] = {
        "uuid": lambda: f"request id {uuid.UUID(int=rng.getrandbits(128))} failed",
        "md5": lambda: f"md5 {draw(rng, HEX, 32)}  release.tar.gz",
        "sha1 commit": lambda: f"fixed in commit {draw(rng, HEX, 40)}",
        "sha256": lambda: f"sha256:{draw(rng, HEX, 64)} is the image digest",
        "version": lambda: f"upgrade to {rng.randint(0, 20)}.{rng.randint(0, 20)}.{rng.randint(0, 90)}-rc{rng.randint(1, 9)}+build.{rng.randint(100, 999)}",
        "order": lambda: f"your order number is {draw(rng, UPPER, 3)}-{draw(rng, string.digits, 7)}-{draw(rng, string.digits, 7)}",
        "isbn": lambda: f"ISBN 978-{rng.randint(0, 9)}-{rng.randint(100, 999)}-{rng.randint(10000, 99999)}-{rng.randint(0, 9)}",
        "image": lambda: "![logo](data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + rng.randbytes(60)).decode() + ")",
        "url": lambda: f"see https://example.com/articles/{draw(rng, LOWER, 8)}/{draw(rng, LOWER, 22)}?utm_source=mail&id={rng.randint(1, 9999)}",
        "path": lambda: f"/usr/lib/python3/dist-packages/{draw(rng, string.ascii_lowercase, 12)}/{draw(rng, string.ascii_lowercase, 10)}.py",
        "variable": lambda: f"api_key = os.environ['{draw(rng, string.ascii_uppercase, 8)}_API_KEY']",
        "placeholder": lambda: rng.choice(("api_key: <your-api-key>", "token=YOUR_TOKEN_HERE", 'password = "changeme"', "secret: ${SECRET}", "SECRET_KEY={{ secret_key }}", "Authorization: Bearer <token>")),
        "documentation": lambda: "the key AK" + "IAIOSFODNN7EXAMPLE is used in the manual",
        "talk": lambda: rng.choice(("the password must have at least 12 characters", "how do I rotate an api key?", "tokens are split by the tokenizer", "the secret to good bread is time", "your password has been reset", "press any key to continue", "the public key is on the key server")),
        "css": lambda: f"a {{ color: #{draw(rng, HEX, 6)}; background: url(img/{draw(rng, LOWER, 20)}.svg) }}",
        "etag": lambda: f'ETag: "{draw(rng, HEX, 32)}-{rng.randint(1, 40)}"',
        "max_tokens": lambda: f"max_tokens={rng.randint(100, 4096)}, token_count: {rng.randint(1, 99999)}",
        "public key": lambda: "ssh-" + f"ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{draw(rng, B64, 43)} ann@laptop",
        "json": lambda: json.dumps({"id": str(uuid.UUID(int=rng.getrandbits(128))), "hash": draw(rng, HEX, 40), "size": rng.randint(1, 10**9)}),
        "tracking": lambda: f"tracking number 1Z{draw(rng, UPPER, 6)}{draw(rng, string.digits, 10)}",
    }  # fmt: skip
    for kind, build in kinds.items():
        for _ in range(each):
            yield kind, build()
