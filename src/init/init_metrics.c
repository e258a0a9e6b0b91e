/*
 * The page of the machine for Prometheus: a file on /run that the sender's metrics responder shows
 * with its own (`textfiles` in the metrics section of hikyaku.conf). Written whole every few
 * seconds, so a scrape costs init nothing.
 */
#include "init/init.h"

#include "base/log.h"
#include "base/text.h"
#include "base/version.h"
#include "init/kernel_file.h"
#include "init/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PERIOD_MS 5000
#define PAGE "/run/hikyaku/metrics/init.prom"
#define PAGE_NEW PAGE ".new"
#define PAGE_MAX (64u << 10)
#define TRAFFIC_MAX 8192

static void head(struct buf *page, const char *name, const char *type, const char *help)
{
	buf_add_format(page, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void add_services(struct buf *page, const struct supervisor *supervisor)
{
	head(page, "hikyaku_service_up", "gauge", "Whether a service that is to run does.");
	for (u32 i = 0; i < supervisor->count; i++) {
		const struct supervisor_service *service = &supervisor->services[i];

		if (service->is_wanted)
			buf_add_format(page, "hikyaku_service_up{service=\"%s\"} %d\n",
				       service->name, service->state == SUPERVISOR_RUNNING);
	}
	head(page, "hikyaku_service_restarts_total", "counter",
	     "Starts of a service beyond its first since the machine started.");
	for (u32 i = 0; i < supervisor->count; i++) {
		const struct supervisor_service *service = &supervisor->services[i];

		buf_add_format(page, "hikyaku_service_restarts_total{service=\"%s\"} %llu\n",
			       service->name, (unsigned long long)service->restarts);
	}
	head(page, "hikyaku_service_memory_bytes", "gauge", "Memory of a service's control group.");
	for (u32 i = 0; i < supervisor->count; i++) {
		const struct supervisor_service *service = &supervisor->services[i];

		if (service->pid != 0)
			buf_add_format(page, "hikyaku_service_memory_bytes{service=\"%s\"} %llu\n",
				       service->name,
				       (unsigned long long)cgroup_memory(service->name));
	}
}

static void add_machine(struct buf *page)
{
	struct machine_memory memory;
	struct machine_clock now;
	double load[3];

	machine_memory(&memory);
	head(page, "hikyaku_memory_bytes", "gauge", "Memory of the machine.");
	buf_add_format(page,
		       "hikyaku_memory_bytes{state=\"total\"} %llu\n"
		       "hikyaku_memory_bytes{state=\"available\"} %llu\n",
		       (unsigned long long)memory.total, (unsigned long long)memory.available);
	machine_load(load);
	head(page, "hikyaku_load1", "gauge", "Processes that run or wait for a disk, one minute.");
	buf_add_format(page, "hikyaku_load1 %.2f\n", load[0]);
	machine_clock(&now);
	head(page, "hikyaku_clock_synced", "gauge", "Whether the clock follows a time server.");
	buf_add_format(page, "hikyaku_clock_synced %d\n", now.is_synced);
	head(page, "hikyaku_clock_offset_seconds", "gauge", "Of the clock from its time servers.");
	buf_add_format(page, "hikyaku_clock_offset_seconds %.6f\n", (double)now.offset_us / 1e6);
}

static void add_data(struct buf *page, const struct init *init)
{
	struct machine_disk disk = { 0 };

	if (init_has_data(init))
		machine_disk("/data", &disk);
	head(page, "hikyaku_data_bytes", "gauge", "Space of the data volume.");
	buf_add_format(page,
		       "hikyaku_data_bytes{state=\"used\"} %llu\n"
		       "hikyaku_data_bytes{state=\"available\"} %llu\n",
		       (unsigned long long)disk.used, (unsigned long long)disk.available);
	head(page, "hikyaku_data_writable", "gauge", "Whether the data volume takes writes.");
	buf_add_format(page, "hikyaku_data_writable %d\n", init->data == INIT_DATA_OPEN);
	head(page, "hikyaku_log_lost_lines_total", "counter",
	     "Log lines that the data volume did not take.");
	buf_add_format(page, "hikyaku_log_lost_lines_total %llu\n",
		       (unsigned long long)logbook_lost(init->logbook));
}

static void add_boot(struct buf *page, const struct init *init)
{
	head(page, "hikyaku_info", "gauge", "What runs.");
	buf_add_format(page, "hikyaku_info{version=\"%s\",slot=\"%s\"} 1\n", HIKYAKU_VERSION,
		       init->slot);
	head(page, "hikyaku_uptime_seconds", "gauge", "Since the machine started.");
	buf_add_format(page, "hikyaku_uptime_seconds %.3f\n", (double)init_now_ms() / 1000);
	head(page, "hikyaku_boot_stage_seconds", "gauge",
	     "When a stage of the boot was over, from the kernel's start.");
	for (u32 i = 0; i < init->stage_count; i++)
		buf_add_format(page, "hikyaku_boot_stage_seconds{stage=\"%s\"} %.3f\n",
			       init->stages[i].name, (double)init->stages[i].at_ms / 1000);
}

/* "  eth0: bytes packets errs drop fifo frame compressed multicast bytes ..." */
static void add_traffic(struct buf *page)
{
	char text[TRAFFIC_MAX];
	struct slice rest = kernel_file_read("/proc/net/dev", text, sizeof(text));

	head(page, "hikyaku_network_bytes_total", "counter", "Bytes of an interface.");
	while (rest.ptr) {
		struct slice line = slice_trim(slice_split(&rest, '\n'));
		struct slice name = slice_split(&line, ':');
		u32 column = 0;

		/* The two lines of the heading have a bar, and no number behind the colon. */
		while (line.ptr && slice_find_char(name, '|') < 0) {
			struct slice word = slice_split(&line, ' ');

			if (word.len == 0)
				continue;
			if (column == 0 || column == 8)
				buf_add_format(page,
					       "hikyaku_network_bytes_total{interface=\"%.*s\","
					       "direction=\"%s\"} %.*s\n",
					       SLICE_FMT(name),
					       column == 0 ? "receive" : "transmit",
					       SLICE_FMT(word));
			column++;
		}
	}
}

static bool write_page(const struct buf *page)
{
	int fd = open(PAGE_NEW, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ssize_t n;

	if (fd < 0)
		return false;
	n = write(fd, page->ptr, page->len);
	close(fd);
	return n == (ssize_t)page->len && rename(PAGE_NEW, PAGE) == 0;
}

void init_metrics_turn(struct init *init, u64 now_ms)
{
	struct buf page;
	bool is_written;

	if (now_ms < init->metrics_due_ms)
		return;
	init->metrics_due_ms = now_ms + PERIOD_MS;
	buf_init(&page, PAGE_MAX);
	add_boot(&page, init);
	add_services(&page, &init->supervisor);
	add_machine(&page);
	add_data(&page, init);
	add_traffic(&page);
	identity_notes_expose(&init->identity, &page);
	is_written = !page.failed && write_page(&page);
	if (!is_written && !init->metrics_failed)
		log_warn("init", "the metrics page is not written", "errno=%d", errno);
	init->metrics_failed = !is_written;
	buf_done(&page);
}
