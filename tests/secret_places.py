"""Where secrets stand, where none stands, and token shapes like those of providers that no rule names; all built at run time.

Each list is split by parity: rules may look at the even half ("tune"); the odd half ("report") is measured only. A
context says with ``{p}`` where a password stands, with ``{t}`` where a random token does. Nothing here is a secret:
values are drawn from a seeded generator, and prefixes are kept apart from them.
"""

import random
import string
from collections.abc import Iterator

ALNUM = string.ascii_letters + string.digits
LOWER = string.ascii_lowercase + string.digits
HEX = "0123456789abcdef"
URLSAFE = ALNUM + "-_"
WORDS = "harbor copper winter silent meadow tiger walnut ribbon planet marble coffee dragon pepper river candle anchor".split()

# What stands there, as text of the kind that people fine-tune on: code, configuration, logs, notebooks, chat.
SECRET_PLACES: tuple[str, ...] = (
    # configuration
    'variable "db_password" {{\n  type    = string\n  default = "{p}"\n}}',
    'resource "aws_db_instance" "main" {{\n  username = "admin"\n  password = "{p}"\n}}',
    '      "type": "random_password",\n      "attributes": {{\n        "length": 16,\n        "result": "{p}"',
    'provider "datadog" {{\n  api_key = "{t}"\n}}',
    "env:\n  - name: DB_PASSWORD\n    value: {p}",
    'env:\n  - name: SERVICE_TOKEN\n    value: "{t}"\n  - name: REGION\n    value: eu-west-1',
    "apiVersion: v1\nkind: Secret\nstringData:\n  password: {p}\n",
    "apiVersion: v1\nkind: Secret\nmetadata:\n  name: app\ndata:\n  api-token: {t}\n",
    "database:\n  user: app\n  password: |\n    {p}\n",
    "smtp:\n  passphrase: >-\n    {p}\n  port: 587",
    "services:\n  db:\n    image: postgres\n    environment:\n      POSTGRES_PASSWORD: {p}",
    "    environment:\n      - MYSQL_ROOT_PASSWORD={p}\n      - MYSQL_DATABASE=shop",
    "helm install shop ./chart --set auth.password={p}",
    "helm upgrade grafana grafana/grafana --set-string adminPassword='{p}',persistence.enabled=true",
    "postgresql:\n  auth:\n    postgresPassword: {p}\n    database: shop",
    "redis:\n  auth:\n    enabled: true\n    password: '{p}'",
    "DATABASE_PASSWORD={p}\nDEBUG=0",
    "SECRET_KEY_BASE={t}\nRAILS_ENV=production",
    "export GITEA_TOKEN={t}",
    "set MQ_PASS={p}",
    "ENV APP_SECRET={t}",
    "ARG NEXUS_PASSWORD={p}",
    '<add key="SmtpPassword" value="{p}" />',
    '<property name="hibernate.connection.password" value="{p}"/>',
    '<property name="javax.persistence.jdbc.password">{p}</property>',
    "<server><id>releases</id><username>ci</username><password>{p}</password></server>",
    '<setting name="ApiSecret" serializeAs="String"><value>{t}</value></setting>',
    '<entry key="ldap.bind.password">{p}</entry>',
    "[client]\nuser=root\npassword={p}",
    "spring.datasource.password={p}",
    "jasypt.encryptor.password: {p}",
    "//registry.internal.example/:_authToken={t}",
    "machine git.internal.example login build password {p}",
    "pypi.internal:\n  username: __token__\n  password: {t}",
    "requirepass {p}\nmaxmemory 2gb",
    "ansible_become_pass: {p}",
    "web01 ansible_host=10.0.4.7 ansible_ssh_pass={p}",
    '{{"auths": {{"registry.example.org": {{"username": "ci", "password": "{p}"}}}}}}',
    '{{"connection": {{"host": "db", "credentials": {{"user": "app", "passwd": "{p}"}}}}}}',
    '{{"name": "API_TOKEN", "value": "{t}"}}',
    '{{"ParameterKey": "MasterUserPassword", "ParameterValue": "{p}"}}',
    '{{"key": "client_secret", "value": "{t}", "type": "text", "enabled": true}}',
    # code
    'conn = psycopg2.connect(host="db", user="app", password="{p}")',
    'client = MongoClient(username="svc", password="{p}", authSource="admin")',
    "const jwtSecret = '{t}';",
    'private static final String API_KEY = "{t}";',
    "$dbPass = '{p}';",
    "define('DB_PASSWORD', '{p}');",
    'var password string = "{p}"',
    'let auth_token: &str = "{t}";',
    "config['webhook_secret'] = '{t}'",
    'os.environ["STORE_API_KEY"] = "{t}"',
    "app.secret_key = b'{t}'",
    'headers = {{"X-Api-Key": "{t}", "Accept": "application/json"}}',
    'requests.get(url, auth=("svc-report", "{p}"))',
    'session.headers.update({{"Authorization": "Token {t}"}})',
    '$cred = ConvertTo-SecureString "{p}" -AsPlainText -Force',
    'new NetworkCredential("mailer", "{p}")',
    '"In [3]: login(token=\\"{t}\\")"',
    "%env WAREHOUSE_PASSWORD={p}",
    '"source": ["api_key = \'{t}\'\\n", "client = Client(api_key)"]',
    "!git clone https://build:{p}@git.internal.example/team/model.git",
    "Server=tcp:sql.internal,1433;User ID=app;Password={p};Encrypt=True",
    "jdbc:mysql://db:3306/shop?user=app&password={p}&useSSL=true",
    "amqp://worker:{p}@mq.internal:5672/vhost",
    "postgres://app:{p}@db.internal:5432/app",
    # commands and SQL
    "mysql -uroot -p{p} shop < dump.sql",
    "mysqldump --user=backup --password={p} shop",
    "sshpass -p '{p}' ssh deploy@web01",
    "PGPASSWORD={p} psql -h db -U app",
    "docker login -u ci -p {p} registry.example.org",
    "echo '{p}' | docker login --username ci --password-stdin",
    "curl -u build:{p} https://ci.internal.example/job",
    'curl -H "Authorization: Bearer {t}" https://api.internal.example/v1',
    "redis-cli -h cache -a {p} ping",
    "vault login {t}",
    "kubectl create secret generic db --from-literal=password={p}",
    "az login --service-principal -u 5f0c --password {p} --tenant corp",
    "openssl enc -aes-256-cbc -in a -out b -pass pass:{p}",
    "net use Z: \\\\files\\team /user:corp\\build {p}",
    "CREATE USER 'app'@'%' IDENTIFIED BY '{p}';",
    "ALTER ROLE app WITH LOGIN PASSWORD '{p}';",
    "CREATE LOGIN reporting WITH PASSWORD = N'{p}';",
    'ALTER USER scott IDENTIFIED BY "{p}" ACCOUNT UNLOCK;',
    "INSERT INTO users (name, password) VALUES ('admin', '{p}');",
    "UPDATE accounts SET password='{p}' WHERE id=7;",
    # tables and logs
    "user,password,role\nadmin,{p},owner",
    "host;login;passwort\nweb01;root;{p}",
    "| user | password |\n|---|---|\n| admin | {p} |",
    "service\ttoken\nbilling\t{t}",
    "2026-03-01 10:02:11 DEBUG auth: trying user=svc pass={p} from 10.0.0.9",
    'level=info msg="login ok" api_key={t} took=31ms',
    'POST /login {{"email": "ops@corp.example", "password": "{p}"}}',
    "GET /export?format=csv&access_token={t} HTTP/1.1",
    "WARN config: secret key is {t}, rotate it",
    "Cookie: theme=dark; session_token={t}; lang=en",
    # chat and letters
    "The password for the router is {p}",
    "wifi password is {p}, write it down",
    "here are the creds: admin / {p}",
    "login: admin\npassword: {p}\nlet me know if it works",
    "Use {p} as the password for the staging box.",
    "you can log in as root with password {p}",
    "my old pin was wrong so I set the password to {p}",
    "The API key we use for billing is {t}.",
    "pls use this token for the deploy: {t} thanks",
    "Temp password: {p} (change after first login)",
    "Username: jdoe Password: {p}",
    "pw {p} user ops",
    "the admin account's password has been reset to {p}",
    "unlock code for the vault is `{p}`",
    "ok the bot token is\n{t}\ndon't share it",
    "passphrase: {w}",
    'The passphrase of the backup is "{w}".',
    "My recovery phrase is {m}",
    "Seed phrase (12 words): {m}",
    'wallet mnemonic = "{m}"',
    "the passphrase for the key is {w}",
)

# What only looks like one: references, calls, placeholders, documentation, public values, identifiers.
NO_SECRET: tuple[str, ...] = (
    "password = os.environ['DB_PASSWORD']",
    'password = os.getenv("DB_PASSWORD", "")',
    "password = getpass.getpass('Password: ')",
    "const token = process.env.API_TOKEN;",
    "env:\n  TOKEN: ${{{{ secrets.DB_PASSWORD }}}}",
    "POSTGRES_PASSWORD: ${{POSTGRES_PASSWORD:?required}}",
    "password: {{{{ vault_db_password }}}}",
    "password: {{{{ .Values.auth.password | quote }}}}",
    "password = var.db_password",
    "api_key = data.aws_secretsmanager_secret_version.api.secret_string",
    "valueFrom:\n  secretKeyRef:\n    name: db\n    key: password",
    "- name: DB_PASSWORD\n  valueFrom:\n    secretKeyRef: {{name: app-db, key: password}}",
    "password: !vault db/creds/app#password",
    "token: vault:secret/data/ci#token",
    "DB_PASSWORD_FILE=/run/secrets/db_password",
    "password_file: /etc/prometheus/password.txt",
    "api_key: <your-api-key>",
    'API_KEY="your_api_key_here"',
    "password=********",
    "password: changeme",
    "PASSWORD=xxxxxxxxxxxx",
    "token: REPLACE_ME_WITH_TOKEN",
    "Authorization: Bearer <token>",
    "Authorization: Bearer $ACCESS_TOKEN",
    "curl -u $USER:$PASS https://api.example.com",
    "mysql -u root -p shop",
    'mysql -h db -u app -p"$MYSQL_PWD" shop',
    "docker login --password-stdin registry.example.org",
    "postgres://user:password@localhost:5432/app",
    "https://${{USER}}:${{TOKEN}}@github.com/org/repo.git",
    "CREATE USER app IDENTIFIED BY :password;",
    "SELECT id, password FROM users WHERE email = ?",
    "ALTER TABLE users ADD COLUMN password_hash varchar(255);",
    "INSERT INTO users (name, password) VALUES (%s, %s)",
    "def login(self, username: str, password: str) -> Token:",
    "if password == confirm_password:",
    "if not check_password_hash(user.password, form.password.data):",
    "user.password = hash_password(request.form['password'])",
    "token = jwt.encode(payload, settings.SECRET_KEY, algorithm='HS256')",
    "token = await auth.get_token(user_id, refresh=True)",
    "private_key = load_pem_private_key(handle.read(), password=None)",
    'password = input("Enter your password: ")',
    "secret = secrets.token_urlsafe(32)",
    "key = Fernet.generate_key()",
    "api_key: Optional[str] = None",
    "password: z.string().min(8).max(64)",
    '<input type="password" name="password" placeholder="Password" required>',
    '<label for="password">Password</label>',
    "ssh-rsa AAAAB3NzaC1yc2E{b} build@web01",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{b} laptop",
    "-----BEGIN CERTIFICATE-----\nMIID{b}\n{b}\n-----END CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A{b}\n-----END PUBLIC KEY-----",
    '"integrity": "sha512-{b}{b}=="',
    "numpy==2.4.6 --hash=sha256:{h}{h}",
    "commit {h}0f2a91bc\nAuthor: build",
    "image: registry.example.org/app@sha256:{h}{h}",
    "md5sum: {h}  release.tar.gz",
    'ETag: "{h}"',
    "request_id={h} status=200",
    "trace_id: {u} span_id: 00f067aa0ba902b7",
    "primary_key: {u}",
    "partition_key = {u}",
    "session id {u} expired",
    "idempotency-key: {u}",
    "cache_key = f'user:{{user_id}}:profile:v2'",
    "keyboard shortcut: ctrl+shift+p",
    "max_tokens: 2048, temperature: 0.2",
    "tokenizer = AutoTokenizer.from_pretrained('org/model-7b-instruct')",
    "The key to success is practice2practice and patience.",
    "Your password must contain at least 12 characters, a digit and a symbol.",
    "Please reset your password using the link we sent.",
    "I forgot my password and my token expired yesterday.",
    "Passwords should be hashed with bcrypt or argon2id.",
    "The password field is required and cannot be empty.",
    "How do I set the password to expire after 90 days?",
    "We rotate the secret every 30 days with Terraform.",
    "the token is invalid because the audience does not match",
    "An access token is a string that identifies a session.",
    "password reset for user jdoe42 was requested at 10:42",
    "Set up two-factor authentication and store the backup codes.",
    "The API key is stored in AWS Secrets Manager under prod/billing/api-key.",
    "authentication: oauth2 with scopes read:user write:repo",
    "secret_name: prod/db/app-credentials-v2",
    "kubectl get secret db-credentials-k8s24 -o yaml",
    "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbC12d",
    "projects/acme-prod/secrets/db-password/versions/latest",
    "op://vault-ops/database/password",
    "keyvault reference: @Microsoft.KeyVault(SecretUri=https://kv1.vault.azure.net/secrets/db)",
    "password: ENC[AES256_GCM,data:8fKq,iv:1yRk,tag:3d0v,type:str]",
    "$ANSIBLE_VAULT;1.1;AES256\n62313365396662343061393464336163\n38396562",
    "sealed: AgBy3i4OJSWK{b}",
    "password_hash: $2b$12${b}",
    "author: Signature Brands 2024 keynote-speaker-22",
    "passenger: seat 14C, key card 2207 at the desk",
    "data:image/png;base64,iVBORw0KGgo{b}{b}",
    "https://cdn.example.com/assets/app.{h}.js",
    "Route key 'orders/v2/items3' maps to handler orders_items_v3",
    "const KEY_CODES = {{ enter: 13, escape: 27 }};",
    "foreign key (customer_id2) references customers2(id)",
    "password = self.password_input.text()",
    "secret: kubernetes.io/service-account-token",
    'throw new Error("Invalid token: expected string at line 42")',
    "username = 'svc'; password = ''",
)

# Providers whose published formats no rule of the sanitiser names, with the parts of a token.
Part = str | tuple[str, int]
UNNAMED: dict[str, tuple[Part, ...]] = {
    "render": ("rn" + "d_", (ALNUM, 32)),
    "neon": ("na" + "pi_", (LOWER, 64)),
    "fireworks": ("fw" + "_", (ALNUM, 24)),
    "cerebras": ("cs" + "k-", (LOWER, 48)),
    "openrouter": ("sk-" + "or-v1-", (HEX, 64)),
    "langfuse": ("sk-" + "lf-", (HEX, 8), "-", (HEX, 4), "-4", (HEX, 3), "-a", (HEX, 3), "-", (HEX, 12)),
    "voyage": ("pa" + "-", (URLSAFE, 43)),
    "jina": ("jin" + "a_", (ALNUM, 60)),
    "unkey": ("unk" + "ey_", (ALNUM, 24)),
    "clerk": ("sk" + "_live_", (ALNUM, 42)),
    "buildkite agent": ("bk" + "ct_", (ALNUM, 80)),
    "trigger.dev": ("tr" + "_prod_", (ALNUM, 20)),
    "inngest": ("sign" + "key-prod-", (HEX, 64)),
    "svix": ("test" + "sk_", (URLSAFE, 32), ".eu"),
    "loops": ("whk" + "_", (ALNUM, 32)),
    "aiven": ("avn" + "Tk", (ALNUM, 60)),
    "cockroach": ("CC" + "DB1_", (ALNUM, 22), "_", (ALNUM, 40)),
    "turso": ("tsr" + "s_", (ALNUM, 40)),
    "depot": ("dep" + "ot_org_", (HEX, 64)),
    "semgrep": ("sg" + "p-", (HEX, 40)),
    "sentry relay": ("sen" + "trk-", (ALNUM, 48)),
    "chromatic": ("ch" + "pt_", (HEX, 12)),
    "wakatime": ("wa" + "ka_", (HEX, 8), "-", (HEX, 4), "-4", (HEX, 3), "-a", (HEX, 3), "-", (HEX, 12)),
    "pulsar": ("xp" + "rv_", (ALNUM, 43)),
    "ngrok": ("2", (ALNUM, 26), "_", (ALNUM, 21)),
    "modal": ("as" + "-", (ALNUM, 22)),
    "beam": ("bm" + "tk.", (URLSAFE, 40)),
    "cal.com": ("cal" + "_live_", (HEX, 32)),
    "apollo": ("ser" + "vice:shop:", (URLSAFE, 22)),
    "hasura": ("hd" + "pat_", (ALNUM, 48)),
    "infisical": ("st.", (HEX, 24), ".", (HEX, 32), ".", (HEX, 32)),
    "lark": ("t-", (ALNUM, 41)),
    "telnyx": ("KEY0", (HEX.upper(), 30), "_", (ALNUM, 22)),
    "webflow": ("ws-", (HEX, 64)),
    "zapier": ("sk" + "-ak-", (ALNUM, 42)),
    "lemon": ("lsq" + "_pk_", (ALNUM, 40)),
    "bunny": ("bn" + "ny-", (HEX, 32), "-", (HEX, 16)),
    "scaleway": ("SCW", (ALNUM.upper(), 17), " ", (HEX, 8), "-", (HEX, 4), "-4", (HEX, 3), "-a", (HEX, 3), "-", (HEX, 12)),
    "mistral": ((ALNUM, 32),),
    "deepgram": ((HEX, 40),),
}  # fmt: skip
# How people write a token of a provider; ``{n}`` is the provider's name.
TOKEN_PLACES = (
    'client = Client("{t}")',
    "{N}_API_KEY={t}",
    "{n} token: {t}",
    "I pasted {t} into the {n} dashboard and it works now.",
    "Authorization: Bearer {t}",
    '{{"{n}": {{"apiKey": "{t}"}}}}',
)


def places(seed: int, half: str) -> Iterator[tuple[str, str, str]]:
    """``(context, text, secret)``: every context of the half, with a value of its own."""
    for index, context in enumerate(SECRET_PLACES):
        if index % 2 == (half == "report"):
            rng = random.Random(f"{seed}:{index}")
            kind = next(kind for kind in "ptwm" if f"{{{kind}}}" in context)
            secret = {"p": password, "t": token, "w": passphrase, "m": mnemonic}[kind](rng)
            yield context, context.format(**{kind: secret}), secret


def harmless(seed: int, half: str) -> Iterator[str]:
    """Texts of the half in which nothing is secret."""
    for index, context in enumerate(NO_SECRET):
        if index % 2 == (half == "report"):
            rng = random.Random(f"{seed}:{index}")
            dashed = "-".join(drawn(rng, HEX, size) for size in (8, 4, 4, 4, 12))
            yield context.format(b=drawn(rng, ALNUM + "+/", 60), h=drawn(rng, HEX, 32), u=dashed)


def unnamed(seed: int, half: str) -> Iterator[tuple[str, str, str]]:
    """``(provider, text, secret)``: tokens of providers of the half, in each way of writing."""
    for index, (name, parts) in enumerate(UNNAMED.items()):
        if index % 2 == (half == "report"):
            for way in TOKEN_PLACES:
                rng = random.Random(f"{seed}:{index}:{way}")
                secret = "".join(part if isinstance(part, str) else drawn(rng, *part) for part in parts)
                shouted = "".join(letter if letter.isalnum() else "_" for letter in name).upper()
                yield name, way.format(t=secret, n=name, N=shouted), secret


def drawn(rng: random.Random, alphabet: str, size: int) -> str:
    return "".join(rng.choice(alphabet) for _ in range(size))


def password(rng: random.Random) -> str:
    """As people and generators make them: a word with digits and a sign, or twelve random characters."""
    word = rng.choice(WORDS)
    return rng.choice(
        (
            f"{word.title()}{rng.randrange(10, 9999)}!",
            f"{word}{rng.choice('-_.#')}{rng.choice(WORDS)}{rng.randrange(10, 99)}",
            drawn(rng, ALNUM, 11) + str(rng.randrange(10)),
            f"{drawn(rng, ALNUM, 6)}{rng.choice('%^*+=?')}{drawn(rng, ALNUM, 6)}7",
        )
    )


def token(rng: random.Random) -> str:
    return drawn(rng, rng.choice((ALNUM, HEX, URLSAFE)), rng.choice((32, 40, 43))) + "7a"


def passphrase(rng: random.Random) -> str:
    return " ".join(rng.sample(WORDS, 4))


def mnemonic(rng: random.Random) -> str:
    return " ".join(rng.sample(WORDS, 12))
