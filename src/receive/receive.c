#include "receive/receive.h"

#include "base/clock.h"
#include "base/config.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/log.h"
#include "base/net_address.h"
#include "base/ready.h"
#include "base/role.h"
#include "base/text.h"
#include "io/ring.h"
#include "io/timer.h"
#include "io/tls.h"
#include "metrics/responder.h"
#include "receive/gate.h"
#include "receive/meter.h"
#include "receive/reader.h"
#include "receive/spool.h"
#include "receive/submission.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PEM_MAX (256 * 1024)
#define STOP_PATIENCE_NS (30 * NS_PER_S)

struct receiver {
	struct config config;
	struct ring *ring;
	struct timer_wheel wheel;
	struct spool *spool;
	struct submission *submission; /* NULL: there is none */
	struct tls_context *tls;
	struct meter meter;
	struct reader *reader;
	struct metrics_responder *responder;
	struct gate *gate;
	struct ring_op signal_op;
	int signal_fd;
	u32 signals; /* terminating ones seen */
	bool stopping;
	u64 stop_by_ns;
};

static void on_signal(struct ring_op *op, i32 result)
{
	struct receiver *receiver = container_of(op, struct receiver, signal_op);

	(void)result;
	receiver->signals += role_take_signals(receiver->signal_fd);
	ring_poll(receiver->ring, op, receiver->signal_fd);
}

static bool watch_signals(struct receiver *receiver, struct error *error)
{
	receiver->signal_fd = role_watch_signals(error);
	return receiver->signal_fd >= 0;
}

static bool open_ring(struct receiver *receiver, struct error *error)
{
	struct ring_params params = { .entries = 1024,
				      .files = receiver->config.receive.connections + 2 +
					       RESPONDER_CLIENTS_MAX + 2,
				      .accepted = RESPONDER_CLIENTS_MAX,
				      .buffers = 256,
				      .buffer_size = 16384,
				      .syncs = 16 };

	receiver->ring = ring_open(&params, error);
	timer_wheel_init(&receiver->wheel, clock_mono_ns());
	return receiver->ring != NULL;
}

static bool open_spool(struct receiver *receiver, struct error *error)
{
	const struct config_receive *config = &receiver->config.receive;
	struct spool_params params = { .folder = config->spool,
				       .bytes_max = config->spool_max,
				       .bytes_free = config->spool_free };

	receiver->spool = spool_open(receiver->ring, &params, error);
	return receiver->spool != NULL;
}

/* Without a certificate of the operator's one is made: whoever sends takes any (RFC 7435). */
static bool open_tls(struct receiver *receiver, struct error *error)
{
	const struct config_receive *config = &receiver->config.receive;
	struct slice text = SLICE_NONE;
	struct buf made;

	buf_init(&made, PEM_MAX);
	if (!config->tls_certificate &&
	    !crypto_certificate_make(config->hostname, clock_wall_ms(), &made))
		error_set_errno(error, errno, "cannot make a certificate");
	else if (!config->tls_certificate)
		receiver->tls = tls_context_open_server(buf_slice(&made), error);
	else if (file_read(config->tls_certificate, PEM_MAX, &text, error))
		receiver->tls = tls_context_open_server(text, error);
	if (!receiver->tls && text.ptr)
		error_prefix(error, "%s", config->tls_certificate);
	if (made.ptr)
		explicit_bzero(made.ptr, made.len);
	if (text.ptr)
		explicit_bzero((char *)text.ptr, text.len);
	buf_done(&made);
	free((char *)text.ptr);
	return receiver->tls != NULL;
}

static bool open_submission(struct receiver *receiver, struct error *error)
{
	struct submission_params params = { .ring = receiver->ring,
					    .wheel = &receiver->wheel,
					    .config = &receiver->config,
					    .meter = &receiver->meter };

	if (!receiver->config.submission.users)
		return true;
	receiver->submission = submission_open(&params, error);
	return receiver->submission != NULL;
}

static bool open_reader(struct receiver *receiver, struct error *error)
{
	receiver->reader = reader_open(&receiver->config, &receiver->meter, error);
	return receiver->reader != NULL;
}

static bool open_page(struct receiver *receiver, struct error *error)
{
	const char *at_text = receiver->config.receive.metrics;
	struct net_address at;

	if (!at_text)
		return true;
	if (!net_address_parse(&at, slice_of(at_text), true))
		return error_set(error, "receive: metrics: %s is no address", at_text);
	receiver->responder = metrics_responder_open_for(receiver->ring, &receiver->wheel, &at,
							 meter_expose, &receiver->meter, error);
	return receiver->responder != NULL;
}

static bool open_gate(struct receiver *receiver, struct error *error)
{
	struct gate_params params = { .ring = receiver->ring,
				      .wheel = &receiver->wheel,
				      .spool = receiver->spool,
				      .submission = receiver->submission,
				      .tls = receiver->tls,
				      .meter = &receiver->meter,
				      .reader = receiver->reader,
				      .config = &receiver->config };

	receiver->gate = gate_open(&params, error);
	return receiver->gate != NULL;
}

static void run(struct receiver *receiver)
{
	ring_poll(receiver->ring, &receiver->signal_op, receiver->signal_fd);
	while (!receiver->stopping || !gate_is_empty(receiver->gate)) {
		u64 now_ns = clock_mono_ns();
		u64 next_ns = timer_wheel_next(&receiver->wheel);

		if (receiver->stopping)
			next_ns = min_u64(next_ns, receiver->stop_by_ns);
		if (next_ns != UINT64_MAX)
			next_ns -= min_u64(now_ns, next_ns);
		ring_turn(receiver->ring, next_ns);
		submission_work(receiver->submission);
		now_ns = clock_mono_ns();
		timer_wheel_advance(&receiver->wheel, now_ns);
		if (receiver->signals > 0 && !receiver->stopping) {
			log_info("receive", "stopping", "patience_s=%u",
				 (u32)(STOP_PATIENCE_NS / NS_PER_S));
			receiver->stopping = true;
			receiver->stop_by_ns = now_ns + STOP_PATIENCE_NS;
			gate_leave(receiver->gate);
		}
		if (receiver->stopping &&
		    (receiver->signals > 1 || now_ns >= receiver->stop_by_ns))
			break; /* what is left is broken off */
	}
}

static const char usage[] =
	"usage: hikyaku receive [--config FILE]\n\n"
	"Takes mail in, in the foreground until SIGTERM; a second one breaks off what is\n"
	"being received. See hikyaku.conf(5), section receive.\n";

int receive_main(int argc, char **argv)
{
	static struct receiver receiver;
	struct error error = { "" };
	int code;
	const char *path = role_config_path(argc, argv, usage, &code);

	if (code >= 0)
		return code;
	if (!config_read(&receiver.config, path, &error)) {
		fprintf(stderr, "hikyaku: %s\n", error.text);
		return 1;
	}
	if (!receiver.config.receive.hostname) {
		fprintf(stderr, "hikyaku: %s: no section \"receive\"\n", path);
		return 1;
	}
	umask(027);
	log_set_level((enum log_level)receiver.config.log);
	receiver.signal_op.done = on_signal;
	if (!watch_signals(&receiver, &error) || !open_ring(&receiver, &error) ||
	    !open_spool(&receiver, &error) || !open_tls(&receiver, &error) ||
	    !open_submission(&receiver, &error) || !open_reader(&receiver, &error) ||
	    !open_page(&receiver, &error) || !open_gate(&receiver, &error)) {
		fprintf(stderr, "hikyaku: %s\n", error.text);
		return 1;
	}
	log_info("receive", "ready", "hostname=%s spool=%s", receiver.config.receive.hostname,
		 receiver.config.receive.spool);
	if (!ready_tell())
		log_warn("receive", "the supervisor was not told", "errno=%d", errno);
	run(&receiver);
	gate_close(receiver.gate);
	submission_close(receiver.submission);
	reader_close(receiver.reader);
	metrics_responder_close(receiver.responder);
	tls_context_close(receiver.tls);
	spool_close(receiver.spool);
	ring_close(receiver.ring);
	config_free(&receiver.config);
	log_info("receive", "stopped", "");
	return 0;
}
