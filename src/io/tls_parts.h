/*
 * Private to io/tls*.c.
 */
#ifndef IO_TLS_PARTS_H
#define IO_TLS_PARTS_H

#include "io/tls.h"

struct ssl_st;
struct ssl_st *tls_ssl(const struct tls *tls); /* OpenSSL's side of it */

#endif
