#file src/base/appliance_overlay.c
#target appliance
#why a command line that is refused leaves its first words behind
s/^\t\*appliance = before;/\tappliance->arena = before.arena;/
