#include "init/init.h"

#include "base/log.h"
#include "base/text.h"
#include "base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define READ_MAX 16384   /* of one service in one turn: a chatterer does not hold up the rest */
#define KERNEL_LINE 8192 /* the kernel's records end there */

/* What the operator must see wherever he is looking. */
static bool is_urgent(struct slice line)
{
	return slice_find(line, SLICE("Z error ")) >= 0;
}

static void take_line(struct init *init, const char *service, struct slice line)
{
	logbook_add(init->logbook, service, line);
	if (init->console_fd >= 0 && init->appliance.console_log && is_urgent(line))
		dprintf(init->console_fd, "\r\n%s: %.*s\r\n", service, SLICE_FMT(line));
	if (init->server)
		server_log_grew(init->server);
}

static void take_output_line(void *arg, struct slice line)
{
	const struct init_output *output = arg;

	take_line(output->init, output->service, line);
}

static void take_bytes(struct init_output *output, const char *bytes, size_t len)
{
	stream_cut(&output->lines, (struct slice){ bytes, len }, take_output_line, output);
}

static void on_output(struct loop_source *source, u32 events)
{
	struct init_output *output = container_of(source, struct init_output, source);
	char bytes[READ_MAX];
	ssize_t n = read(source->fd, bytes, sizeof(bytes));

	(void)events;
	if (n > 0)
		take_bytes(output, bytes, (size_t)n);
	/* All who held the writing end are gone. */
	else if (n == 0 || errno != EAGAIN)
		init_output_close(output);
}

void init_output_open(struct init *init, struct init_output *output, const char *service, int fd)
{
	init_output_close(output);
	output->init = init;
	output->source = (struct loop_source){ .ready = on_output, .fd = fd };
	output->lines.max = LOGBOOK_LINE_MAX;
	output->lines.len = 0;
	slice_copy(output->service, sizeof(output->service), slice_of(service));
	if (!loop_watch(&init->loop, &output->source, EPOLLIN))
		log_warn("init", "the output of a service is not seen", "service=%s", service);
}

void init_output_close(struct init_output *output)
{
	char bytes[READ_MAX];
	ssize_t n;

	if (!output->init || output->source.fd < 0)
		return;
	/* Once: a grandchild that writes without end is left behind. */
	n = read(output->source.fd, bytes, sizeof(bytes));
	if (n > 0)
		take_bytes(output, bytes, (size_t)n);
	stream_cut_rest(&output->lines, take_output_line, output);
	loop_forget(&output->init->loop, &output->source);
	close(output->source.fd);
	output->source.fd = -1;
}

/* ---- the kernel ---- */

/* "6,1234,5678901,-;text of the message\n key=value" */
static void on_kernel_log(struct loop_source *source, u32 events)
{
	struct init *init = container_of(source, struct init, kernel_log);
	char record[KERNEL_LINE];

	(void)events;
	for (u32 i = 0; i < 64; i++) {
		ssize_t n = read(source->fd, record, sizeof(record));
		struct slice text;

		if (n < 0 && errno == EPIPE)
			continue; /* some were overwritten before they were read */
		if (n <= 0)
			return;
		text = (struct slice){ record, (size_t)n };
		slice_split(&text, ';');
		if (text.ptr)
			take_line(init, "kernel", slice_split(&text, '\n'));
	}
}

bool init_kernel_log_open(struct init *init)
{
	init->kernel_log = (struct loop_source){
		.ready = on_kernel_log,
		.fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC),
	};
	return init->kernel_log.fd >= 0 && loop_watch(&init->loop, &init->kernel_log, EPOLLIN);
}
