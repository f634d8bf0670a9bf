"""What a manifest says of software and machine."""

import platform

from unparrot.core.machine import available_bytes, describe_machine, package_versions


def test_versions_say_what_is_installed_and_what_is_not() -> None:
    versions = package_versions(["numpy", "no-such-package"])
    assert versions["python"] == platform.python_version()
    assert versions["numpy"]
    assert versions["no-such-package"] is None


def test_machine_names_neither_host_nor_user() -> None:
    machine = describe_machine()
    assert platform.node() not in [str(value) for value in machine.values()]
    assert isinstance(machine["processors"], int)
    assert machine["processors"] >= 1


def test_available_memory_is_known_here() -> None:
    available = available_bytes()
    assert available is not None
    assert available > 1 << 20
