/*
 * Messages of rtnetlink (rtnetlink(7), RFC 3549): written to a buffer and read from one. No sockets
 * here. Attributes that are not known are skipped, lengths that do not fit end the reading; what a
 * message does not tell is zero.
 */
#ifndef INIT_NETWORK_MESSAGE_H
#define INIT_NETWORK_MESSAGE_H

#include "base/buf.h"
#include "base/net_address.h"
#include "base/types.h"

#include <linux/if.h>
#include <linux/netlink.h>

/* ---- writing ---- */

/* Begins a message with its fixed part; message_end fills in its length. */
size_t message_begin(struct buf *out, u16 type, u16 flags, const void *head, size_t size);
void message_end(struct buf *out, size_t begin);
void message_add(struct buf *out, u16 attribute, const void *value, size_t len);
void message_add_u32(struct buf *out, u16 attribute, u32 value);
void message_add_text(struct buf *out, u16 attribute, const char *text); /* with its NUL */
size_t message_nest(struct buf *out, u16 attribute);
void message_nest_end(struct buf *out, size_t begin);
/* Of the message that begins there. */
void message_set_sequence(struct buf *out, size_t begin, u32 sequence);

/* All links, addresses, routes or rules: RTM_GETLINK, RTM_GETADDR... */
void message_dump(struct buf *out, u16 type);

/* ---- what the kernel tells ---- */

struct network_link {
	u32 index;
	char name[IFNAMSIZ];
	u8 mac[6];	     /* zeros: none of six bytes */
	u8 permanent_mac[6]; /* burnt in; zeros: not told */
	u16 type;	     /* ARPHRD_* */
	u32 flags;	     /* IFF_* */
	u32 mtu;
	u32 master;    /* index of the bond, or 0 */
	u32 parent;    /* index of a VLAN's link, or 0 */
	char kind[16]; /* "vlan", "bond", "veth"; "" for hardware */
	u16 vlan_id;
	u8 bond_mode;
};

struct network_address {
	u32 index; /* of the link */
	struct net_prefix prefix;
	u32 flags; /* IFA_F_* */
	u8 scope;  /* RT_SCOPE_* */
};

struct network_route {
	u8 protocol; /* RTPROT_* */
	bool onlink;
	u32 table;
	struct net_prefix to;	    /* a default route: no bits, and the family */
	struct net_address gateway; /* family 0: none */
	struct net_address source;  /* preferred; family 0: none */
	u32 index;		    /* of the link */
	u32 metric;
};

/* Which table of routes counts for packets from an address. */
struct network_rule {
	u8 family; /* 4 or 6 */
	u8 protocol; /* RTPROT_*: who made it */
	u32 priority;
	u32 table;
	struct net_prefix from; /* no bits: all */
	bool no_defaults;	/* routes to everywhere do not count in that table */
};

/* A name server in a router advertisement (RFC 8106). */
struct network_advertised {
	u32 index; /* of the link */
	struct net_address address;
	u32 lifetime_s; /* 0: no longer */
};
#define MESSAGE_ADVERTISED_MAX 4

enum message_kind {
	MESSAGE_OTHER, /* of no interest, or not whole */
	MESSAGE_LINK,
	MESSAGE_LINK_GONE,
	MESSAGE_ADDRESS,
	MESSAGE_ADDRESS_GONE,
	MESSAGE_ROUTE,
	MESSAGE_ROUTE_GONE,
	MESSAGE_RULE,
	MESSAGE_RULE_GONE,
	MESSAGE_ADVERTISED,
	MESSAGE_DONE, /* the end of a dump */
	MESSAGE_ACK,  /* or refusal: errno in `code` */
};

struct message {
	enum message_kind kind;
	u32 sequence;
	i32 code;	   /* of ACK and DONE: 0 or an errno value */
	bool interrupted; /* a dump that was changed under way and must be asked for again */
	union {
		struct network_link link;
		struct network_address address;
		struct network_route route;
		struct network_rule rule;
		struct {
			struct network_advertised items[MESSAGE_ADVERTISED_MAX];
			u32 count;
		} advertised;
	};
};

/* Takes one message off the front; false: nothing whole is left. */
bool message_take(struct slice *bytes, struct message *message);

#endif
