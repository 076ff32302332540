"""Drives an emulated BMC with sushy, OpenStack's client: settings, a reset, Secure Boot.

Arguments: address, file of the authority, user, password, attribute, value, reset.
"""
import sys

import sushy

url, ca, user, password, attribute, value, reset = sys.argv[1:]
auth = sushy.auth.SessionAuth(user, password)
connection = sushy.Sushy(url, verify=ca, auth=auth)
path = connection.get_system_collection().members_identities[0]


def until(holds):
    """Asks until it holds: each request takes the emulator's clock on."""
    for _ in range(200):
        system = connection.get_system(path)
        if holds(system):
            return
    sys.exit("it never came to " + holds.__name__)


def is_set(system):
    return system.bios.attributes[attribute] == value


def is_secure(system):
    return system.secure_boot.current_boot == sushy.SECURE_BOOT_ENABLED


system = connection.get_system(path)
bios = system.bios
assert bios.attributes[attribute] != value, "it is set already"
apply_time = sushy.APPLY_TIME_ON_RESET if bios.supported_apply_times else None
bios.set_attributes({attribute: value}, apply_time=apply_time)
bios.refresh(force=True)
assert bios.pending_attributes[attribute] == value, "it does not wait"
assert bios.attributes[attribute] != value, "it was set at once"
try:
    bios.set_attributes({attribute: "nonsense"}, apply_time=apply_time)
    sys.exit("a value that the registry does not list was taken")
except sushy.exceptions.BadRequestError:
    pass
system.reset_system(sushy.ResetType(reset))
until(is_set)
system.secure_boot.set_enabled(True)
assert not is_secure(connection.get_system(path)), "it is in force without a boot"
system.reset_system(sushy.ResetType(reset))
until(is_secure)
