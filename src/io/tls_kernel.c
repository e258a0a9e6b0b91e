/*
 * What the kernel needs to encrypt in OpenSSL's place (RFC 8446 sections 5.3 and 7.3): the secret
 * comes out of OpenSSL's key log, which is there for this one line of it, the number of records is
 * counted where they go out. No key is ever used for a number twice: the kernel begins with the
 * next one, and OpenSSL seals nothing behind.
 */
#include "io/tls_parts.h"

#include "base/text.h"

#include <assert.h>
#include <linux/tls.h>
#include <openssl/ssl.h>
#include <string.h>

#define RECORD_HEAD 5 /* type, version, length */

/* A line is LABEL, the client's random number, the secret; the last two in hex. */
static void on_key_log(const SSL *ssl, const char *line)
{
	static const char label[] = "CLIENT_TRAFFIC_SECRET_0 ";
	struct tls *tls = SSL_get_app_data(ssl);
	struct tls_sealing *sealing = tls_sealing_of(tls);
	struct slice hex;

	if (strncmp(line, label, sizeof(label) - 1) != 0)
		return;
	hex = slice_of(strrchr(line, ' ') + 1);
	sealing->secret_size = 0;
	if (hex.len / 2 <= sizeof(sealing->secret) &&
	    hex_decode(sealing->secret, hex.len / 2, hex))
		sealing->secret_size = (u8)(hex.len / 2);
}

void tls_kernel_watch(SSL_CTX *context)
{
	SSL_CTX_set_keylog_callback(context, on_key_log);
}

void tls_sealing_count(struct tls_sealing *sealing, const u8 *records, size_t len)
{
	if (!sealing->counts)
		return;
	sealing->is_spoiled = sealing->is_spoiled || !sealing->is_data;
	while (len >= RECORD_HEAD) {
		size_t size = RECORD_HEAD + ((size_t)records[3] << 8 | records[4]);

		sealing->records++;
		records += min_size(size, len);
		len -= min_size(size, len);
	}
	/* OpenSSL hands over whole records. */
	sealing->is_spoiled = sealing->is_spoiled || len > 0;
}

#define NONCE_SIZE 12

/* Where the kernel wants what. The head of GCM's nonce it calls salt; ChaCha20's has none. */
struct layout {
	u16 suite;
	u16 cipher_type;
	enum crypto_hash hash;
	u8 size; /* of all, in bytes, as the others */
	u8 key;
	u8 key_size;
	u8 salt;
	u8 salt_size;
	u8 iv;
	u8 number;
};

#define LAYOUT(suite_, type, hash_, kernels)                                                       \
	{                                                                                          \
		.suite = (suite_), .cipher_type = (type), .hash = (hash_),                         \
		.size = sizeof(struct kernels), .key = offsetof(struct kernels, key),              \
		.key_size = sizeof(((struct kernels *)0)->key),                                    \
		.salt = offsetof(struct kernels, salt),                                            \
		.salt_size = sizeof(((struct kernels *)0)->salt),                                  \
		.iv = offsetof(struct kernels, iv), .number = offsetof(struct kernels, rec_seq)    \
	}

/* By suite (RFC 8446 appendix B.4). */
static const struct layout layouts[] = {
	LAYOUT(0x1301, TLS_CIPHER_AES_GCM_128, CRYPTO_SHA256, tls12_crypto_info_aes_gcm_128),
	LAYOUT(0x1302, TLS_CIPHER_AES_GCM_256, CRYPTO_SHA384, tls12_crypto_info_aes_gcm_256),
	LAYOUT(0x1303, TLS_CIPHER_CHACHA20_POLY1305, CRYPTO_SHA256,
	       tls12_crypto_info_chacha20_poly1305),
};
static_assert(sizeof(struct tls12_crypto_info_aes_gcm_256) <= TLS_KERNEL_KEYS_MAX &&
		      sizeof(struct tls12_crypto_info_chacha20_poly1305) <= TLS_KERNEL_KEYS_MAX,
	      "there is room for each");

static bool fill(struct tls_sealing *sealing, const struct layout *layout)
{
	const struct tls_crypto_info info = { .version = TLS_1_3_VERSION,
					      .cipher_type = layout->cipher_type };
	u8 *keys = sealing->keys;
	u8 nonce[NONCE_SIZE];
	bool made = crypto_expand_label(layout->hash, sealing->secret, "key", keys + layout->key,
					layout->key_size) &&
		    crypto_expand_label(layout->hash, sealing->secret, "iv", nonce, NONCE_SIZE);

	if (made) {
		memcpy(keys, &info, sizeof(info));
		memcpy(keys + layout->salt, nonce, layout->salt_size);
		memcpy(keys + layout->iv, nonce + layout->salt_size,
		       NONCE_SIZE - layout->salt_size);
		for (u32 i = 0; i < 8; i++) /* big-endian */
			keys[layout->number + i] = (u8)(sealing->records >> (56 - 8 * i));
	}
	explicit_bzero(nonce, sizeof(nonce));
	return made;
}

u32 tls_sealing_derive(struct tls_sealing *sealing, u16 suite)
{
	for (u32 i = 0; i < array_count(layouts); i++) {
		if (layouts[i].suite == suite &&
		    sealing->secret_size == crypto_hash_size(layouts[i].hash))
			return fill(sealing, &layouts[i]) ? layouts[i].size : 0;
	}
	return 0;
}

void tls_sealing_wipe(struct tls_sealing *sealing)
{
	explicit_bzero(sealing, sizeof(*sealing));
}

enum tls_handover tls_hand_over(struct tls *tls, struct slice *keys)
{
	struct tls_sealing *sealing = tls_sealing_of(tls);
	const SSL_CIPHER *cipher = SSL_get_current_cipher(tls_ssl(tls));
	u32 size;

	if (tls_kernel_is_lacking(tls))
		return TLS_HANDOVER_LACKING;
	if (SSL_version(tls_ssl(tls)) != TLS1_3_VERSION)
		return TLS_HANDOVER_VERSION;
	if (!sealing->counts || sealing->is_spoiled || tls_owes_keys(tls))
		return TLS_HANDOVER_KEYS;
	size = cipher ? tls_sealing_derive(sealing, SSL_CIPHER_get_protocol_id(cipher)) : 0;
	*keys = (struct slice){ (const char *)&sealing->keys, size };
	return size > 0 ? TLS_HANDOVER_READY : TLS_HANDOVER_CIPHER;
}

void tls_handed_over(struct tls *tls)
{
	tls_sealing_wipe(tls_sealing_of(tls));
}

bool tls_owes_keys(const struct tls *tls)
{
	return SSL_get_key_update_type(tls_ssl(tls)) != SSL_KEY_UPDATE_NONE;
}
