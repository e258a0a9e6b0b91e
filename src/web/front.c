#include "web/front.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/durable.h"
#include "base/error.h"
#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SERVER "/sbin/lighttpd"
#define SERVER_CONFIG "/etc/lighttpd.conf"
#define CERTIFICATE "/data/www/server.pem" /* as SERVER_CONFIG has it */
#define CERTIFICATE_MAX (64 * 1024)        /* bytes */

static bool has_certificate(const char *host, u64 now_ms)
{
	struct error ignored;
	struct slice pem;
	bool serves;

	if (!file_read(CERTIFICATE, CERTIFICATE_MAX, &pem, &ignored))
		return false;
	serves = crypto_certificate_serves(pem, host, now_ms);
	free((char *)pem.ptr);
	return serves;
}

static bool make_certificate(const char *host, u64 now_ms, struct error *error)
{
	struct buf pem;
	bool is_made;

	buf_init(&pem, CERTIFICATE_MAX);
	is_made = crypto_certificate_make(host, now_ms, &pem)
			  ? durable_replace(CERTIFICATE, buf_slice(&pem), 0600, error)
			  : error_set(error, "a certificate for %s cannot be made", host);
	buf_done(&pem);
	return is_made;
}

int front_main(int argc, char **argv)
{
	char *words[] = { "lighttpd", "-D", "-f", SERVER_CONFIG, NULL };
	struct error error = { "" };
	u64 now_ms = clock_wall_ms();

	if (argc != 3 || strcmp(argv[1], "--host") != 0) {
		fputs("usage: hikyaku www --host NAME\n", stderr);
		return 2;
	}
	if (!has_certificate(argv[2], now_ms)) {
		if (!make_certificate(argv[2], now_ms, &error)) {
			fprintf(stderr, "hikyaku: %s\n", error.text);
			return 1;
		}
		fprintf(stderr, "a certificate was made for %s\n", argv[2]);
	}
	execv(SERVER, words);
	fprintf(stderr, "hikyaku: %s: %s\n", SERVER, strerror(errno));
	return 1;
}
