/*
 * The worked examples of RFC 6376 (sections 3.4.5 and 3.4.6, appendix A.2 with the key of appendix
 * C) and of RFC 8463 (appendix A). RSA PKCS#1 v1.5 and Ed25519 are deterministic, so that the
 * printed signatures must come out exactly.
 */
#include "dkim/canon.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char rfc8463_ed25519[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
	"-----END PRIVATE KEY-----\n";

static const char rfc8463_rsa[] =
	"-----BEGIN RSA PRIVATE KEY-----\n"
	"MIICXQIBAAKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQi\n"
	"Y/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqM\n"
	"KrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB\n"
	"AoGAH0cxOhFZDgzXWhDhnAJDw5s4roOXN4OhjiXa8W7Y3rhX3FJqmJSPuC8N9vQm\n"
	"6SVbaLAE4SG5mLMueHlh4KXffEpuLEiNp9Ss3O4YfLiQpbRqE7Tm5SxKjvvQoZZe\n"
	"zHorimOaChRL2it47iuWxzxSiRMv4c+j70GiWdxXnxe4UoECQQDzJB/0U58W7RZy\n"
	"6enGVj2kWF732CoWFZWzi1FicudrBFoy63QwcowpoCazKtvZGMNlPWnC7x/6o8Gc\n"
	"uSe0ga2xAkEA8C7PipPm1/1fTRQvj1o/dDmZp243044ZNyxjg+/OPN0oWCbXIGxy\n"
	"WvmZbXriOWoSALJTjExEgraHEgnXssuk7QJBALl5ICsYMu6hMxO73gnfNayNgPxd\n"
	"WFV6Z7ULnKyV7HSVYF0hgYOHjeYe9gaMtiJYoo0zGN+L3AAtNP9huqkWlzECQE1a\n"
	"licIeVlo1e+qJ6Mgqr0Q7Aa7falZ448ccbSFYEPD6oFxiOl9Y9se9iYHZKKfIcst\n"
	"o7DUw1/hz2Ck4N5JrgUCQQCyKveNvjzkkd8HjYs0SwM0fPjK16//5qDZ2UiDGnOe\n"
	"uEzxBDAr518Z8VFbR41in3W4Y3yCDgQlLlcETrS+zYcL\n"
	"-----END RSA PRIVATE KEY-----\n";

static const char rfc6376_rsa[] =
	"-----BEGIN RSA PRIVATE KEY-----\n"
	"MIICXwIBAAKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFC\n"
	"jxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gb\n"
	"to/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB\n"
	"AoGBALmn+XwWk7akvkUlqb+dOxyLB9i5VBVfje89Teolwc9YJT36BGN/l4e0l6QX\n"
	"/1//6DWUTB3KI6wFcm7TWJcxbS0tcKZX7FsJvUz1SbQnkS54DJck1EZO/BLa5ckJ\n"
	"gAYIaqlA9C0ZwM6i58lLlPadX/rtHb7pWzeNcZHjKrjM461ZAkEA+itss2nRlmyO\n"
	"n1/5yDyCluST4dQfO8kAB3toSEVc7DeFeDhnC1mZdjASZNvdHS4gbLIA1hUGEF9m\n"
	"3hKsGUMMPwJBAPW5v/U+AWTADFCS22t72NUurgzeAbzb1HWMqO4y4+9Hpjk5wvL/\n"
	"eVYizyuce3/fGke7aRYw/ADKygMJdW8H/OcCQQDz5OQb4j2QDpPZc0Nc4QlbvMsj\n"
	"7p7otWRO5xRa6SzXqqV3+F0VpqvDmshEBkoCydaYwc2o6WQ5EBmExeV8124XAkEA\n"
	"qZzGsIxVP+sEVRWZmW6KNFSdVUpk3qzK0Tz/WjQMe5z0UunY9Ax9/4PVhp/j61bf\n"
	"eAYXunajbBSOLlx4D+TunwJBANkPI5S9iylsbLs6NkaMHV6k5ioHBBmgCak95JGX\n"
	"GMot/L2x0IYyMLAz6oLWh2hm7zwtb0CgOrPo1ke44hFYnfc=\n"
	"-----END RSA PRIVATE KEY-----\n";

struct line {
	const char *name;
	const char *value;
};

static const struct line fields[] = {
	{ "From", " Joe SixPack <joe@football.example.com>" },
	{ "To", " Suzie Q <suzie@shopping.example.net>" },
	{ "Subject", " Is dinner ready?" },
	{ "Date", " Fri, 11 Jul 2003 21:00:37 -0700 (PDT)" },
	{ "Message-ID", " <20030712040037.46341.5F8J@football.example.com>" },
};

static void assert_body_hash(const char *body, enum dkim_canon canon, const char *want)
{
	struct dkim_body state;
	char text[45] = "";
	u8 digest[SHA256_SIZE];

	dkim_body_init(&state, canon);
	dkim_body_feed(&state, body, strlen(body));
	dkim_body_finish(&state, digest);
	base64_encode(text, digest, sizeof(digest));
	assert_string_equal(text, want);
}

/* Signs the fields, then the signature field itself without its final CRLF. */
static void assert_signature(const char *pem, enum dkim_canon canon,
			     const struct line *signed_fields, size_t count,
			     const char *signature_field, const char *want)
{
	struct crypto_key *key = crypto_key_from_pem(slice_of(pem), NULL);
	struct crypto_signer *signer;
	struct sha256 hash;
	struct buf own;
	u8 digest[SHA256_SIZE];
	u8 signature[CRYPTO_SIGNATURE_MAX];
	char text[4 * CRYPTO_SIGNATURE_MAX / 3 + 4] = "";
	size_t len;

	assert_non_null(key);
	signer = crypto_signer_open(key, NULL);
	assert_non_null(signer);
	sha256_init(&hash);
	for (size_t i = 0; i < count; i++)
		dkim_header_hash(&hash, canon, slice_of(signed_fields[i].name),
				 slice_of(signed_fields[i].value));
	buf_init(&own, 4096);
	dkim_header_canonical(&own, canon, SLICE("DKIM-Signature"), slice_of(signature_field));
	sha256_add(&hash, own.ptr, own.len - 2);
	sha256_finish(&hash, digest);
	len = crypto_sign_digest(signer, digest, signature);
	base64_encode(text, signature, len);
	assert_string_equal(text, want);
	buf_done(&own);
	crypto_signer_close(signer);
	crypto_key_free(key);
}

static void rfc_8463_signatures_come_out_exactly(void **state)
{
	(void)state;
	assert_body_hash("Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n",
			 DKIM_RELAXED, "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=");
	assert_signature(rfc8463_ed25519, DKIM_RELAXED, fields, array_count(fields),
			 " v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
			 " d=football.example.com; i=@football.example.com;\r\n"
			 " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
			 " subject : date : message-id : from : subject : date;\r\n"
			 " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
			 " b=",
			 "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus"
			 "Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==");
	assert_signature(rfc8463_rsa, DKIM_RELAXED, fields, array_count(fields),
			 " v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"
			 " d=football.example.com; i=@football.example.com;\r\n"
			 " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n"
			 " date : message-id : from : subject : date;\r\n"
			 " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
			 " b=",
			 "F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3"
			 "DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz"
			 "dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=");
}

/* The text as corrected by errata 3192 (one space in the body) and 4926 (indentation). */
static void rfc_6376_appendix_a_signature_comes_out_exactly(void **state)
{
	struct line all[array_count(fields) + 1];

	(void)state;
	all[0] = (struct line){ "Received", " from client1.football.example.com  [192.0.2.1]\r\n"
					    "      by submitserver.example.com with SUBMISSION;\r\n"
					    "      Fri, 11 Jul 2003 21:01:54 -0700 (PDT)" };
	memcpy(all + 1, fields, sizeof(fields));
	assert_body_hash("Hi.\r\n\r\nWe lost the game. Are you hungry yet?\r\n\r\nJoe.\r\n",
			 DKIM_SIMPLE, "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=");
	assert_signature(rfc6376_rsa, DKIM_SIMPLE, all, array_count(all),
			 " v=1; a=rsa-sha256; s=brisbane; d=example.com;\r\n"
			 "      c=simple/simple; q=dns/txt; i=joe@football.example.com;\r\n"
			 "      h=Received : From : To : Subject : Date : Message-ID;\r\n"
			 "      bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
			 "      b=;",
			 "AuUoFEfDxTDkHlLXSZEpZj79LICEps6eda7W3deTVFOk4yAUoqOB"
			 "4nujc7YopdG5dWLSdNg6xNAZpOPr+kHxt1IrE+NahM6L/LbvaHut"
			 "KVdkLLkpVaVVQPzeRDI009SO2Il5Lu7rDNH6mZckBdrIx0orEtZV"
			 "4bmp/YzhwvcubU4=");
}

static void rfc_6376_section_3_4_5_forms_come_out_exactly(void **state)
{
	static const char body[] = " C \r\nD \t E\r\n\r\n\r\n";
	struct sha256 hash;
	struct dkim_body whole;
	struct buf out;
	u8 want[SHA256_SIZE];
	u8 got[SHA256_SIZE];

	(void)state;
	buf_init(&out, 256);
	dkim_header_canonical(&out, DKIM_RELAXED, SLICE("A"), SLICE(" X"));
	dkim_header_canonical(&out, DKIM_RELAXED, SLICE("B "), SLICE(" Y\t\r\n\tZ  "));
	dkim_header_canonical(&out, DKIM_SIMPLE, SLICE("A"), SLICE(" X"));
	dkim_header_canonical(&out, DKIM_SIMPLE, SLICE("B "), SLICE(" Y\t\r\n\tZ  "));
	assert_string_equal(buf_text(&out), "a:X\r\nb:Y Z\r\nA: X\r\nB : Y\t\r\n\tZ  \r\n");
	buf_done(&out);
	for (int canon = DKIM_SIMPLE; canon <= DKIM_RELAXED; canon++) {
		struct slice form = canon == DKIM_SIMPLE ? SLICE(" C \r\nD \t E\r\n")
							 : SLICE(" C\r\nD E\r\n");

		sha256_init(&hash);
		sha256_add(&hash, form.ptr, form.len);
		sha256_finish(&hash, want);
		dkim_body_init(&whole, (enum dkim_canon)canon);
		dkim_body_feed(&whole, body, sizeof(body) - 1);
		dkim_body_finish(&whole, got);
		assert_memory_equal(got, want, SHA256_SIZE);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc_8463_signatures_come_out_exactly),
		cmocka_unit_test(rfc_6376_appendix_a_signature_comes_out_exactly),
		cmocka_unit_test(rfc_6376_section_3_4_5_forms_come_out_exactly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
