/* The server's side of SMTP (RFC 5321, 1870, 2034, 2920, 3030, 3207, 6152, 6531). */
#include "sink.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COMMAND_MAX_BYTES 8192
#define RCPT_MAX 1000
#define SIZE_MAX_TEXT "104857600"

static void reply(struct session *s, const char *text)
{
	session_reply(s, text, strlen(text));
}

static void refuse(struct session *s, const char *text)
{
	sink_count(&s->sink->stats->violations, 1);
	reply(s, text);
}

/* A refusal; with 421 the connection ends. */
static void turn_down(struct session *s, const char *refusal)
{
	reply(s, refusal);
	if (memcmp(refusal, "421", 3) == 0)
		session_close(s, CLOSING_DRAIN);
}

void smtp_greet(struct session *s, unsigned listener)
{
	const char *refusal = provider_enter(s, listener);

	if (refusal)
		turn_down(s, refusal);
	else
		reply(s, "220 sink.test ESMTP\r\n");
}

void smtp_reset(struct session *s)
{
	record_save_drop(s);
	s->in_mail = s->chunking = s->smtputf8 = s->text_refused = false;
	s->rcpt_count = 0;
	s->sender.len = s->rcpts.len = 0;
}

/* The reply to a message. */
static void reply_accepted(struct session *s)
{
	const struct sink_provider *p = s->provider;
	struct sink_buf *text = &s->sink->scratch;

	text->len = 0;
	sink_buf_add_text(text, "250 2.0.0 Ok ");
	sink_buf_add_number(text, s->number);
	sink_buf_add_text(text, ".");
	sink_buf_add_number(text, s->transactions);
	sink_buf_add_text(text, "\r\n");
	if (p)
		session_reply_after(s, text->data, text->len, p->accept_min_ms, p->accept_max_ms);
	else
		session_reply(s, text->data, text->len);
}

/* A message is complete. */
static void message_done(struct session *s)
{
	struct sink *sink = s->sink;
	struct sink_stats *stats = sink->stats;
	const char *refusal = provider_text(s);

	text_end(s);
	sink_count(&stats->malformed, s->text.malformed);
	s->phase = PHASE_COMMAND;
	s->transactions++;
	if (sink_chance(sink, sink->options->vanish_percent)) {
		sink_count(&stats->vanished, 1);
		record_message(s, false);
		session_close(s, CLOSING_NOW);
		return;
	}
	if (refusal) {
		reply(s, refusal);
		smtp_reset(s);
		return;
	}
	record_message(s, true);
	s->messages++;
	sink_count(&stats->messages, 1);
	sink_count(&stats->recipients, s->rcpt_count);
	sink_count(&stats->bytes, s->text.bytes);
	if (!stats->first_us)
		__atomic_store_n(&stats->first_us, sink->now_us, __ATOMIC_RELAXED);
	__atomic_store_n(&stats->last_us, sink->now_us, __ATOMIC_RELAXED);
	reply_accepted(s);
	smtp_reset(s);
}

/* The path between angle brackets at `*arg`; NULL if there is none. `*arg` moves behind it. */
static const char *take_path(const char **arg, const char *end, size_t *len)
{
	const char *p = *arg, *start;
	bool quoted = false;

	if (p == end || *p != '<')
		return NULL;
	for (start = ++p; p < end; p++) {
		if (*p == '\\' && quoted && p + 1 < end)
			p++;
		else if (*p == '"')
			quoted = !quoted;
		else if (*p == '>' && !quoted)
			break;
		else if ((unsigned char)*p < ' ' || (*p == ' ' && !quoted))
			return NULL;
	}
	if (p >= end)
		return NULL;
	*len = (size_t)(p - start);
	*arg = p + 1;
	return start;
}

static bool is_word(const char *word, size_t len, const char *want)
{
	return strlen(want) == len && strncasecmp(word, want, len) == 0;
}

/* Parameters of MAIL: only what EHLO offered. */
static bool take_params(struct session *s, const char *p, const char *end)
{
	while (p < end) {
		const char *word = p + 1;
		size_t len;

		if (*p != ' ')
			return false;
		for (p = word; p < end && *p != ' '; )
			p++;
		len = (size_t)(p - word);
		if (is_word(word, len, "SMTPUTF8"))
			s->smtputf8 = true;
		else if (!is_word(word, len, "BODY=8BITMIME") && !is_word(word, len, "BODY=7BIT") &&
		    !(len > 5 && strncasecmp(word, "SIZE=", 5) == 0))
			return false;
	}
	return true;
}

static bool is_ascii(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] & 0x80)
			return false;
	return true;
}

static void on_mail(struct session *s, const char *arg, size_t len)
{
	const char *end = arg + len, *path;
	uint32_t max = s->sink->options->max_messages;
	const char *refusal;
	size_t path_len;

	if (max && s->messages >= max) {
		turn_down(s, "421 4.7.0 Enough for one connection\r\n");
		return;
	}
	if (!s->helo || s->in_mail) {
		refuse(s, "503 5.5.1 Not now\r\n");
		return;
	}
	if (len < 5 || strncasecmp(arg, "FROM:", 5) != 0 ||
	    (arg += 5, !(path = take_path(&arg, end, &path_len)))) {
		refuse(s, "501 5.1.7 Bad sender\r\n");
		return;
	}
	s->smtputf8 = false;
	if (!take_params(s, arg, end)) {
		refuse(s, "555 5.5.4 Parameter not known\r\n");
		return;
	}
	if (!s->smtputf8 && !is_ascii(path, path_len)) {
		refuse(s, "553 5.6.7 SMTPUTF8 was not asked for\r\n");
		return;
	}
	refusal = provider_mail(s);
	if (refusal) {
		turn_down(s, refusal);
		return;
	}
	sink_buf_add(&s->sender, path, path_len);
	s->in_mail = true;
	reply(s, "250 2.1.0 Ok\r\n");
}

static void on_rcpt(struct session *s, const char *arg, size_t len)
{
	const struct sink_options *o = s->sink->options;
	const char *end = arg + len, *path, *refusal;
	size_t path_len;

	if (!s->in_mail || s->chunking) {
		refuse(s, "503 5.5.1 Not now\r\n");
	} else if (len < 3 || strncasecmp(arg, "TO:", 3) != 0 ||
	    (arg += 3, !(path = take_path(&arg, end, &path_len))) || !path_len) {
		refuse(s, "501 5.1.3 Bad recipient\r\n");
	} else if (arg != end) {
		refuse(s, "555 5.5.4 Parameter not known\r\n");
	} else if (!s->smtputf8 && !is_ascii(path, path_len)) {
		refuse(s, "553 5.6.7 SMTPUTF8 was not asked for\r\n");
	} else if (sink_chance(s->sink, o->reject_percent)) {
		sink_count(&s->sink->stats->rejected, 1);
		reply(s, "550 5.1.1 No such user\r\n");
	} else if (sink_chance(s->sink, o->defer_percent)) {
		sink_count(&s->sink->stats->deferred, 1);
		reply(s, "451 4.7.1 Try again later\r\n");
	} else if ((refusal = provider_rcpt(s, path, path_len))) {
		turn_down(s, refusal);
	} else if (s->rcpt_count >= RCPT_MAX) {
		reply(s, "452 4.5.3 Too many recipients\r\n");
	} else {
		s->rcpt_count++;
		if (s->sink->keep_envelope) {
			sink_buf_add(&s->rcpts, path, path_len);
			sink_buf_add(&s->rcpts, "", 1);
		}
		reply(s, "250 2.1.5 Ok\r\n");
	}
}

static void on_data(struct session *s)
{
	if (!s->in_mail || s->chunking) {
		refuse(s, "503 5.5.1 Not now\r\n");
	} else if (!s->rcpt_count) {
		/* No fault of a client that pipelines: it may not know yet (RFC 2920 3.1). */
		reply(s, "554 5.5.1 No valid recipients\r\n");
	} else {
		text_begin(s);
		s->phase = PHASE_DATA;
		reply(s, "354 Go ahead\r\n");
	}
}

static void chunk_done(struct session *s)
{
	s->phase = PHASE_COMMAND;
	if (s->chunk_refused && s->in_mail)
		reply(s, "554 5.5.1 No valid recipients\r\n");
	else if (s->chunk_refused)
		reply(s, "503 5.5.1 Not now\r\n");
	else if (s->chunk_last)
		message_done(s);
	else
		reply(s, "250 2.0.0 Chunk ok\r\n");
}

/* RFC 3030 2: the chunk follows at once, whether it is welcome or not. */
static void on_bdat(struct session *s, const char *arg, size_t len)
{
	const char *end = arg + len, *p = arg;
	uint64_t size = 0;

	while (p < end && *p >= '0' && *p <= '9' && size < UINT32_MAX)
		size = size * 10 + (uint64_t)(*p++ - '0');
	s->chunk_last = is_word(p, (size_t)(end - p), " LAST");
	if (p == arg || (p != end && !s->chunk_last) || s->sink->options->no_chunking) {
		/* Where the chunk ends is not known now, so nothing after it can be read. */
		refuse(s, "501 5.5.4 Bad BDAT\r\n");
		session_close(s, CLOSING_DRAIN);
		return;
	}
	s->chunk_left = size;
	s->chunk_refused = !s->rcpt_count;
	if (!s->in_mail)
		sink_count(&s->sink->stats->violations, 1);
	if (!s->chunk_refused && !s->chunking) {
		text_begin(s);
		s->chunking = true;
	}
	s->phase = PHASE_CHUNK;
	if (!size)
		chunk_done(s);
}

static void on_ehlo(struct session *s, size_t len)
{
	const struct sink_options *o = s->sink->options;
	struct sink_buf *text = &s->sink->scratch;

	if (!len) {
		refuse(s, "501 5.5.4 A name is missing\r\n");
		return;
	}
	smtp_reset(s);
	s->helo = true;
	text->len = 0;
	sink_buf_add_text(text, "250-sink.test\r\n");
	if (!o->no_pipelining)
		sink_buf_add_text(text, "250-PIPELINING\r\n");
	if (!o->no_chunking)
		sink_buf_add_text(text, "250-CHUNKING\r\n");
	if (o->starttls && !s->ssl)
		sink_buf_add_text(text, "250-STARTTLS\r\n");
	sink_buf_add_text(text, "250-8BITMIME\r\n250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n"
		"250 SIZE " SIZE_MAX_TEXT "\r\n");
	session_reply(s, text->data, text->len);
}

static void on_helo(struct session *s, size_t len)
{
	if (!len) {
		refuse(s, "501 5.5.4 A name is missing\r\n");
		return;
	}
	smtp_reset(s);
	s->helo = true;
	reply(s, "250 sink.test\r\n");
}

/* `more`: bytes came behind the command in the same piece. */
static void on_starttls(struct session *s, bool more)
{
	if (!s->sink->options->starttls || s->ssl) {
		refuse(s, "503 5.5.1 Not now\r\n");
		return;
	}
	if (more) {
		/* Text in clear must not reach the protected session (RFC 3207 4.2, 6). */
		refuse(s, "554 5.5.1 Input behind STARTTLS\r\n");
		session_close(s, CLOSING_DRAIN);
		return;
	}
	smtp_reset(s);
	s->helo = false;
	reply(s, "220 2.0.0 Go ahead\r\n");
	tls_start(s);
}

#define VERB(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (d))

static void dispatch(struct session *s, uint32_t verb, const char *arg, size_t len, bool more)
{
	switch (verb) {
	case VERB('M', 'A', 'I', 'L'):
		on_mail(s, arg, len);
		break;
	case VERB('R', 'C', 'P', 'T'):
		on_rcpt(s, arg, len);
		break;
	case VERB('D', 'A', 'T', 'A'):
		sink_count(&s->sink->stats->violations, more);
		on_data(s);
		break;
	case VERB('B', 'D', 'A', 'T'):
		on_bdat(s, arg, len);
		break;
	case VERB('E', 'H', 'L', 'O'):
		sink_count(&s->sink->stats->violations, more);
		on_ehlo(s, len);
		break;
	case VERB('H', 'E', 'L', 'O'):
		sink_count(&s->sink->stats->violations, more);
		on_helo(s, len);
		break;
	case VERB('R', 'S', 'E', 'T'):
		smtp_reset(s);
		reply(s, "250 2.0.0 Ok\r\n");
		break;
	case VERB('N', 'O', 'O', 'P'):
		reply(s, "250 2.0.0 Ok\r\n");
		break;
	case VERB('V', 'R', 'F', 'Y'):
		reply(s, "252 2.5.0 Try it\r\n");
		break;
	case VERB('Q', 'U', 'I', 'T'):
		reply(s, "221 2.0.0 Bye\r\n");
		session_close(s, CLOSING_SENT);
		break;
	default:
		refuse(s, "500 5.5.1 Command not known\r\n");
	}
}

/* One line without its LF. */
static void on_line(struct session *s, const char *line, size_t len, bool more)
{
	uint32_t verb = 0;
	size_t at = 4;

	if (len && line[len - 1] == '\r')
		len--;
	else
		sink_count(&s->sink->stats->violations, 1);
	if (len == 8 && strncasecmp(line, "STARTTLS", 8) == 0) {
		on_starttls(s, more);
		return;
	}
	if (len >= 4 && (len == 4 || line[4] == ' '))
		for (int i = 0; i < 4; i++)
			verb = verb << 8 | ((uint32_t)(unsigned char)line[i] & 0xdf);
	if (more && s->sink->options->no_pipelining && verb != VERB('B', 'D', 'A', 'T'))
		sink_count(&s->sink->stats->violations, 1);
	while (at < len && line[at] == ' ')
		at++;
	if (at > len)
		at = len;
	dispatch(s, verb, line + at, len - at, more);
}

static size_t feed_command(struct session *s, const uint8_t *bytes, size_t len)
{
	const uint8_t *lf = memchr(bytes, '\n', len);
	size_t n = lf ? (size_t)(lf - bytes) : len;

	if (s->line.len + n > COMMAND_MAX_BYTES) {
		refuse(s, "500 5.5.2 Line too long\r\n");
		session_close(s, CLOSING_DRAIN);
		return len;
	}
	if (!lf || s->line.len)
		sink_buf_add(&s->line, bytes, n);
	if (!lf)
		return len;
	if (s->line.len) {
		on_line(s, (const char *)s->line.data, s->line.len, n + 1 < len);
		sink_buf_free(&s->line);
	} else {
		on_line(s, (const char *)bytes, n, n + 1 < len);
	}
	return n + 1;
}

static size_t feed_chunk(struct session *s, const uint8_t *bytes, size_t len)
{
	size_t n = len < s->chunk_left ? len : (size_t)s->chunk_left;

	if (!s->chunk_refused)
		text_feed_chunk(s, bytes, n);
	s->chunk_left -= n;
	if (!s->chunk_left)
		chunk_done(s);
	return n;
}

static size_t feed_data(struct session *s, const uint8_t *bytes, size_t len)
{
	bool done;
	size_t n = text_feed_dots(s, bytes, len, &done);

	if (done)
		message_done(s);
	return n;
}

void smtp_feed(struct session *s, const uint8_t *bytes, size_t len)
{
	while (len && s->closing == CLOSING_NO) {
		size_t n;

		if (s->phase == PHASE_DATA)
			n = feed_data(s, bytes, len);
		else if (s->phase == PHASE_CHUNK)
			n = feed_chunk(s, bytes, len);
		else
			n = feed_command(s, bytes, len);
		bytes += n;
		len -= n;
	}
}
