"""Every error Hallmark raises on purpose.

::

    HallmarkError
    ├── UsageError          the command was called wrongly                         exit 4
    ├── InputError          bad input; names object, line and rule                 exit 2
    ├── StoreError          the object store is down, denies, or changed under us  exit 2
    │   └── Conflict        a conditional write lost: another writer was first       exit 2
    ├── IntegrityError      bytes differ from their recorded digest or signature   exit 1
    ├── GateRefused         a stage was asked to run on an unproven predecessor    exit 1
    ├── ApprovalRefused     an approval is absent, expired, or for something else  exit 1
    ├── VaultError          the vault cannot be opened with this key               exit 2
    └── ModelError          a model or adapter cannot be loaded safely             exit 2

A message says what happened, to which object, and what to do. It never carries a removed value (law 7).
"""


class HallmarkError(Exception):
    """Root of the tree. ``exit_status`` is what the command ends with."""

    exit_status = 2


class UsageError(HallmarkError):
    exit_status = 4


class InputError(HallmarkError):
    """Bad input, located.

    ``object_key`` is the source object, ``line`` the 1-based line (0: the object as a whole), ``rule`` the
    stable name of the rule that was broken.
    """

    def __init__(self, message: str, *, object_key: str, line: int = 0, rule: str) -> None:
        where = f"{object_key}:{line}" if line else object_key
        super().__init__(f"{where}: {message} [{rule}]")
        self.object_key, self.line, self.rule = object_key, line, rule


class StoreError(HallmarkError):
    pass


class Conflict(StoreError):
    """A conditional write found another state than the one it was made for; read again and decide anew."""


class IntegrityError(HallmarkError):
    """``differences`` lists every file that is missing, unexpected or changed."""

    exit_status = 1

    def __init__(self, message: str, differences: tuple[str, ...] = ()) -> None:
        super().__init__(message + "".join(f"\n  {line}" for line in differences))
        self.differences = differences


class GateRefused(HallmarkError):
    exit_status = 1


class ApprovalRefused(HallmarkError):
    exit_status = 1


class VaultError(HallmarkError):
    pass


class ModelError(HallmarkError):
    pass
