/*
 * Users and groups of the appliance, by number, as rootfs/tree/etc/passwd has them. Each service
 * has its own; USERS_GROUP is what those share that may use the control sockets.
 */
#ifndef INIT_USERS_H
#define INIT_USERS_H

enum users {
	USERS_ROOT = 0,    /* init and its tasks */
	USERS_ADMIN = 100, /* console, ssh */
	USERS_SEND = 101,
	USERS_WEB = 102,
	USERS_RECEIVE = 103,
	USERS_WWW = 104, /* lighttpd */
	USERS_NTP = 105,
	USERS_DHCP = 106,
	USERS_HOOK = 107,
	USERS_GROUP = 110,       /* group hikyaku */
	USERS_RINGS_GROUP = 111, /* may make io_uring rings */
};

#endif
