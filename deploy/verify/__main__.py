"""``hallmark-verify release FOLDER`` and ``grant TOKEN``: exit status 0 if it holds, 1 if it does not, 2 on error."""

import argparse
import json
import sys
from pathlib import Path

from assets.release.signed import prove_signed
from assets.served.approval.grants import Spent, prove_grant
from resources.errors import HallmarkError, InputError
from resources.signer import KeyRing


def main() -> None:
    keys = argparse.ArgumentParser(add_help=False)  # before the command or after it
    keys.add_argument("--keys", type=Path, default=argparse.SUPPRESS, metavar="FOLDER", help="trusted public keys")
    parser = argparse.ArgumentParser(
        prog="hallmark-verify", description="Prove a release or a grant, offline.", parents=[keys]
    )
    commands = parser.add_subparsers(dest="command", required=True)
    release = commands.add_parser(
        "release", help="signature, every byte, safety of the files, approvals", parents=[keys]
    )
    release.add_argument("folder", type=Path)
    grant = commands.add_parser("grant", help="a grant for this very call", parents=[keys])
    grant.add_argument("token", type=Path, help="file with the grant's JSON")
    grant.add_argument("--tool", required=True)
    grant.add_argument("--arguments", required=True, help="the call's arguments, as JSON")
    grant.add_argument("--requester", help="the key that may have asked")
    grant.add_argument("--spend", type=Path, metavar="FOLDER", help="use the grant up: a folder of used ones")
    arguments = parser.parse_args()
    if "keys" not in arguments:
        parser.error("--keys names the folder of the public keys that you trust")
    try:
        ring = KeyRing.open(arguments.keys)
        if arguments.command == "release":
            if not arguments.folder.is_dir():
                raise InputError("there is no such folder", object_key=str(arguments.folder), rule="path-exists")
            signed = prove_signed(arguments.folder, ring)
            said = f"{signed.name} verifies, released at {signed.released_at}"
        else:
            token = json.loads(arguments.token.read_bytes())
            call = {"tool": arguments.tool, "arguments": json.loads(arguments.arguments)}
            proven = prove_grant(token, ring, requester=arguments.requester, **call)
            if arguments.spend:
                Spent(arguments.spend).take(proven)
            said = f"granted by {', '.join(proven.reviewers)} until {proven.expires_at}"
    except HallmarkError as error:
        sys.stderr.write(f"hallmark-verify: {error}\n")
        sys.exit(error.exit_status)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"hallmark-verify: {error}\n")
        sys.exit(2)
    sys.stdout.write(f"{said}\n")


if __name__ == "__main__":
    main()
