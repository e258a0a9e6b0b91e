/*
 * /sbin/poweroff and /sbin/reboot: what the kernel starts, as root, when a hypervisor asks for an
 * orderly end (Xen, Hyper-V) or the machine gets too hot. They tell init, which knows the way down.
 */
#ifndef INIT_ORDERLY_H
#define INIT_ORDERLY_H

/* `what` is "poweroff" or "reboot". Exit code 0: init has begun; else the kernel does it alone. */
int orderly_end(const char *what);

#endif
