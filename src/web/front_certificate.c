#include "web/front_certificate.h"

#include "base/clock.h"
#include "base/durable.h"
#include "base/file.h"
#include "base/text.h"
#include "web/front_config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_SIZE 4200
#define LIFE_SHARE 3

const char *front_kind_name(enum front_kind kind)
{
	static const char *const names[] = { "none", "self-signed", "own", "acme" };

	return names[kind];
}

static bool path_of(char path[PATH_SIZE], const struct config_www *www, const char *name)
{
	return (size_t)snprintf(path, PATH_SIZE, "%s%s", www->folder, name) < PATH_SIZE;
}

/* Appends the whole file. */
static bool add_file(struct buf *pem, const char *path, struct error *error)
{
	struct slice text;
	bool fits;

	if (!file_read(path, FRONT_PEM_MAX, &text, error))
		return false;
	fits = text.len <= FRONT_PEM_MAX;
	if (fits)
		buf_add_slice(pem, text);
	else
		error_set(error, "%s: more than %u bytes", path, FRONT_PEM_MAX);
	free((char *)text.ptr);
	return fits && (!pem->failed || error_set(error, "%s: too large", path));
}

static bool is_for_all(struct slice pem, const struct front_names *names)
{
	for (size_t i = 0; i < names->count; i++) {
		if (!crypto_certificate_is_for(pem, names->items[i]))
			return false;
	}
	return true;
}

/* ---- the three kinds ---- */

static bool take_own(const struct config_www *www, struct buf *pem, struct error *error)
{
	struct crypto_certificate facts;

	if (!add_file(pem, www->certificate, error))
		return false;
	if (www->key) {
		buf_add_char(pem, '\n');
		if (!add_file(pem, www->key, error))
			return false;
	}
	if (!crypto_certificate_read(buf_slice(pem), &facts))
		return error_set(error, "%s: no certificate in it", www->certificate);
	return facts.has_key || error_set(error, "%s: no key of this certificate",
					  www->key ? www->key : www->certificate);
}

static bool take_authority(const struct config_www *www, const struct front_names *names,
			   struct buf *pem, struct error *error)
{
	struct crypto_certificate facts;
	char path[PATH_SIZE];

	if (!path_of(path, www, FRONT_ACME_PEM))
		return error_set(error, "%s: too long", www->folder);
	if (!add_file(pem, path, error))
		return errno == ENOENT ? error_set(error, "the authority gave none yet") : false;
	if (!crypto_certificate_read(buf_slice(pem), &facts) || !facts.has_key)
		return error_set(error, "%s: no certificate with its key", path);
	return crypto_certificate_is_for(buf_slice(pem), names->items[0]) ||
	       error_set(error, "the authority's is not for %s", names->items[0]);
}

/* What was shown until now is better than nothing that anybody trusts. */
static bool keep_present(const struct front_names *names, struct slice present, struct buf *pem)
{
	struct crypto_certificate facts;

	if (!crypto_certificate_read(present, &facts) || facts.is_own || !facts.has_key ||
	    !crypto_certificate_is_for(present, names->items[0]))
		return false;
	buf_add_slice(pem, present);
	return !pem->failed;
}

/* The one that is there, if it will do. */
static bool make_self(const struct front_names *names, struct slice present, u64 now_ms,
		      struct buf *pem, struct error *error)
{
	struct crypto_certificate facts;

	if (crypto_certificate_read(present, &facts) && facts.is_own &&
	    crypto_certificate_serves(present, names->items[0], now_ms))
		buf_add_slice(pem, present);
	else if (!crypto_certificate_make(names->items[0], now_ms, pem))
		return error_set(error, "a certificate for %s cannot be made", names->items[0]);
	return !pem->failed || error_set(error, "out of memory");
}

static enum front_kind pick(const struct config_www *www, const struct front_names *names,
			    struct slice present, u64 now_ms, struct buf *pem,
			    struct error *trouble)
{
	enum front_kind wanted = www->certificate ? FRONT_OWN
				 : www->acme	  ? FRONT_AUTHORITY
						  : FRONT_SELF_SIGNED;

	if (wanted == FRONT_OWN && take_own(www, pem, trouble))
		return wanted;
	if (wanted == FRONT_AUTHORITY && take_authority(www, names, pem, trouble))
		return wanted;
	buf_reset(pem);
	if (wanted != FRONT_SELF_SIGNED && keep_present(names, present, pem))
		return wanted;
	buf_reset(pem);
	return make_self(names, present, now_ms, pem, trouble) ? FRONT_SELF_SIGNED : FRONT_NONE;
}

bool front_certificate_choose(const struct config_www *www, const struct front_names *names,
			      u64 now_ms, struct front_certificate *out, bool *changed,
			      struct error *error)
{
	struct buf present;
	struct buf pem;
	char path[PATH_SIZE];
	bool is_there;

	*out = (struct front_certificate){ .kind = FRONT_NONE };
	*changed = false;
	if (!path_of(path, www, FRONT_PEM))
		return error_set(error, "%s: too long", www->folder);
	buf_init(&present, 2 * FRONT_PEM_MAX);
	buf_init(&pem, 2 * FRONT_PEM_MAX + 1);
	/* None is no trouble. */
	(void)add_file(&present, path, NULL);
	out->kind = pick(www, names, buf_slice(&present), now_ms, &pem, &out->trouble);
	is_there = out->kind != FRONT_NONE;
	if (!is_there)
		*error = out->trouble;
	*changed = is_there && !slice_equal(buf_slice(&present), buf_slice(&pem));
	if (*changed)
		is_there = durable_replace(path, buf_slice(&pem), 0600, error);
	if (is_there && !crypto_certificate_read(buf_slice(&pem), &out->facts))
		is_there = error_set(error, "%s: cannot be read", path);
	out->is_for_names = is_there && is_for_all(buf_slice(&pem), names);
	buf_done(&pem);
	buf_done(&present);
	return is_there;
}

bool front_certificate_is_due(const struct config_www *www, const struct front_names *names,
			      u64 now_ms, u64 delay_ms)
{
	struct crypto_certificate facts;
	struct error ignored;
	struct buf pem;
	u64 early_ms;
	bool is_due;

	/* Dates say nothing yet: time comes from the network, soon. */
	if (!www->acme || now_ms < CLOCK_EARLIEST_MS)
		return false;
	buf_init(&pem, FRONT_PEM_MAX);
	is_due = !take_authority(www, names, &pem, &ignored) ||
		 !is_for_all(buf_slice(&pem), names) ||
		 !crypto_certificate_read(buf_slice(&pem), &facts);
	buf_done(&pem);
	if (is_due)
		return true;
	early_ms = min_u64(www->acme_early_ms,
			   (facts.until_s - min_u64(facts.from_s, facts.until_s)) * MS_PER_S /
				   LIFE_SHARE);
	return now_ms + early_ms >= facts.until_s * MS_PER_S + min_u64(delay_ms, early_ms / 2);
}
