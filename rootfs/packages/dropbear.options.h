/*
 * Keys only: whoever cannot show one gets nothing. No forwarding of any kind, no file transfer
 * server, no client. Operators' keys may be Ed25519, ECDSA, RSA or on a security key.
 */
#define DROPBEAR_CLIENT 0
#define INETD_MODE 0
#define DROPBEAR_DELAY_HOSTKEY 1
#define DROPBEAR_SVR_PASSWORD_AUTH 0
#define DROPBEAR_SVR_PUBKEY_AUTH 1
#define DROPBEAR_X11FWD 0
#define DROPBEAR_SVR_LOCALTCPFWD 0
#define DROPBEAR_SVR_REMOTETCPFWD 0
#define DROPBEAR_SVR_LOCALSTREAMFWD 0
#define DROPBEAR_SVR_AGENTFWD 0
#define DROPBEAR_SFTPSERVER 0
#define DROPBEAR_USER_ALGO_LIST 0
#define DO_MOTD 0
#define DO_HOST_LOOKUP 0

#define DROPBEAR_ENABLE_GCM_MODE 1
#define DROPBEAR_DH_GROUP14_SHA256 0
#define DROPBEAR_DH_GROUP14_SHA1 0

/* Made when the first client asks for one (-R), where the data is. */
#define RSA_PRIV_FILENAME "/data/ssh/host_rsa"
#define ECDSA_PRIV_FILENAME "/data/ssh/host_ecdsa"
#define ED25519_PRIV_FILENAME "/data/ssh/host_ed25519"

/* Guessing is slow and cannot fill the server. */
#define MAX_AUTH_TRIES 4
#define MAX_UNAUTH_PER_IP 3
#define MAX_UNAUTH_CLIENTS 12

/* A line that dropped must not keep a session for ever. */
#define DEFAULT_KEEPALIVE 30

#define DEFAULT_PATH "/bin:/sbin"
#define DEFAULT_ROOT_PATH DEFAULT_PATH
