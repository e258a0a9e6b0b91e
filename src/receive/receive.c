#include "receive/receive.h"

#include "base/clock.h"
#include "base/config.h"
#include "base/config_file.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/ready.h"
#include "io/ring.h"
#include "io/timer.h"
#include "io/tls.h"
#include "receive/gate.h"
#include "receive/spool.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_CONFIG "/etc/hikyaku/hikyaku.conf"
#define PEM_MAX (256 * 1024)
#define STOP_PATIENCE_NS (30 * NS_PER_S)

struct receiver {
	struct config config;
	struct ring *ring;
	struct timer_wheel wheel;
	struct spool *spool;
	struct tls_context *tls;
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
	struct signalfd_siginfo info;

	(void)result;
	while (read(receiver->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		receiver->signals++;
	ring_poll(receiver->ring, op, receiver->signal_fd);
}

static bool watch_signals(struct receiver *receiver, struct error *error)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	/* A limit on the size of files is answered to the write, as a full disk is. */
	signal(SIGXFSZ, SIG_IGN);
	receiver->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return receiver->signal_fd >= 0 || error_set_errno(error, errno, "signalfd");
}

static bool open_ring(struct receiver *receiver, struct error *error)
{
	struct ring_params params = { .entries = 1024,
				      .files = receiver->config.receive.connections + 2,
				      .buffers = 256,
				      .buffer_size = 16384 };

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
	else if (config_file_read(config->tls_certificate, PEM_MAX, &text, error))
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

static bool open_gate(struct receiver *receiver, struct error *error)
{
	struct gate_params params = { .ring = receiver->ring,
				      .wheel = &receiver->wheel,
				      .spool = receiver->spool,
				      .tls = receiver->tls,
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

static int usage(FILE *to)
{
	fputs("usage: hikyaku receive [--config FILE]\n\n"
	      "Takes mail in, in the foreground until SIGTERM; a second one breaks off what is\n"
	      "being received. See hikyaku.conf(5), section receive.\n",
	      to);
	return to == stdout ? 0 : 2;
}

static const char *read_arguments(int argc, char **argv, int *code)
{
	const char *path = DEFAULT_CONFIG;

	*code = -1;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
			path = argv[++i];
		else if (strcmp(argv[i], "--help") == 0)
			*code = usage(stdout);
		else
			*code = usage(stderr);
	}
	return path;
}

int receive_main(int argc, char **argv)
{
	static struct receiver receiver;
	struct error error = { "" };
	int code;
	const char *path = read_arguments(argc, argv, &code);

	if (code >= 0)
		return code;
	if (!config_read(&receiver.config, path, &error)) {
		fprintf(stderr, "hikyaku: %s\n", error.text);
		return 1;
	}
	if (receiver.config.receive.listen.count == 0) {
		fprintf(stderr, "hikyaku: %s: no section \"receive\"\n", path);
		return 1;
	}
	umask(027);
	log_set_level((enum log_level)receiver.config.log);
	receiver.signal_op.done = on_signal;
	if (!watch_signals(&receiver, &error) || !open_ring(&receiver, &error) ||
	    !open_spool(&receiver, &error) || !open_tls(&receiver, &error) ||
	    !open_gate(&receiver, &error)) {
		fprintf(stderr, "hikyaku: %s\n", error.text);
		return 1;
	}
	log_info("receive", "ready", "hostname=%s spool=%s", receiver.config.receive.hostname,
		 receiver.config.receive.spool);
	if (!ready_tell())
		log_warn("receive", "the supervisor was not told", "errno=%d", errno);
	run(&receiver);
	gate_close(receiver.gate);
	tls_context_close(receiver.tls);
	spool_close(receiver.spool);
	ring_close(receiver.ring);
	config_free(&receiver.config);
	log_info("receive", "stopped", "");
	return 0;
}
