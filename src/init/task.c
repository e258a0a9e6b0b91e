#include "init/task.h"

#include "base/log.h"
#include "base/stream.h"
#include "base/text.h"
#include "init/services.h"
#include "init/spawn.h"
#include "init/users.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#define TASKS_MAX 8
#define INPUT_MAX (2u << 20) /* a frame on top of what the pipe did not take */
#define CONFIG "--config", SERVICES_CONFIG

/* Whoever holds keys: as the sender itself, but without a ring. */
#define AS_SENDER                                                                                  \
	{                                                                                          \
		.user = USERS_SEND, .group = USERS_GROUP, .rights = 0, .paths = {                  \
			SERVICES_SENDER_PATHS,                                                     \
			{ "/data/backup", SANDBOX_WRITE },                                         \
		}                                                                                  \
	}

static const struct kind {
	const char *name;
	const char *words[8];
	struct sandbox sandbox;
	bool is_exclusive; /* one at a time */
} kinds[] = {
	{ .name = "keys-new", .words = { "keys", "new", CONFIG }, .sandbox = AS_SENDER },
	{ .name = "keys-show", .words = { "keys", "show", CONFIG }, .sandbox = AS_SENDER },
	{ .name = "check", .words = { "check", CONFIG }, .sandbox = AS_SENDER },
	{ .name = "backup",
	  .words = { "backup-task" },
	  /* Audience and secrets of hooks are other users', and LMDB notes who reads. */
	  .sandbox = { .user = USERS_SEND,
		       .group = USERS_GROUP,
		       .capabilities = SANDBOX_CAPABILITY(CAP_DAC_OVERRIDE),
		       .paths = { SERVICES_SENDER_PATHS,
				  { "/data/backup", SANDBOX_WRITE },
				  { "/data/hook", SANDBOX_READ },
				  { "/data/site", SANDBOX_READ },
				  { "/data/web", SANDBOX_WRITE } } },
	  .is_exclusive = true },
	/* Into a stage below the sender's folder; init puts it in place at the next start. */
	{ .name = "restore",
	  .words = { "restore-task" },
	  .sandbox = AS_SENDER,
	  .is_exclusive = true },
	{ .name = "selftest",
	  .words = { "selftest", CONFIG },
	  .sandbox = AS_SENDER,
	  .is_exclusive = true },
	{ .name = "page-test",
	  .words = { "page-test" },
	  .sandbox = { .user = USERS_WWW,
		       .group = USERS_WWW,
		       .paths = { { "/bin/hikyaku", SANDBOX_RUN }, { "/etc", SANDBOX_READ } } },
	  .is_exclusive = true },
	{ .name = "hook-secret",
	  .words = { "hook", "secret", CONFIG },
	  .sandbox = { .user = USERS_HOOK,
		       .group = USERS_HOOK,
		       .groups = { USERS_GROUP },
		       .group_count = 1,
		       .paths = { { "/bin/hikyaku", SANDBOX_RUN },
				  { "/etc", SANDBOX_READ },
				  { "/data/etc", SANDBOX_READ },
				  { "/data/hook", SANDBOX_READ } } } },
	{ .name = "upgrade",
	  .words = { "upgrade-task" },
	  .is_exclusive = true,
	  /* Writes the other slot: mounts /boot for writing and nothing else. */
	  .sandbox = { .user = USERS_ROOT,
		       .group = USERS_ROOT,
		       .rights = SANDBOX_MOUNTS,
		       .capabilities = SANDBOX_CAPABILITY(CAP_SYS_ADMIN) |
				       SANDBOX_CAPABILITY(CAP_DAC_OVERRIDE) } },
};

struct task {
	bool is_used;
	const struct kind *kind;
	pid_t pid;
	struct loop *loop;
	struct loop_source output;
	struct loop_source input; /* fd -1: ended, or there is none */
	struct buf pending;       /* of the input */
	bool input_ends;          /* once pending is written */
	struct stream_lines lines;
	struct task_listener listener;
	void *owner;
};

static struct task tasks[TASKS_MAX];

/* ---- output ---- */

static void give_line(void *arg, struct slice line)
{
	const struct task *task = arg;

	if (task->owner)
		task->listener.line(task->owner, line);
}

static void read_output(struct task *task)
{
	char bytes[4096];
	ssize_t n;

	while ((n = read(task->output.fd, bytes, sizeof(bytes))) > 0)
		stream_cut(&task->lines, (struct slice){ bytes, (size_t)n }, give_line, task);
	if (n == 0)
		loop_forget(task->loop, &task->output);
}

static void on_output(struct loop_source *source, u32 events)
{
	(void)events;
	read_output(container_of(source, struct task, output));
}

/* ---- input ---- */

static void close_input(struct task *task)
{
	if (task->input.fd < 0)
		return;
	loop_forget(task->loop, &task->input);
	close(task->input.fd);
	task->input.fd = -1;
	buf_done(&task->pending);
	buf_init(&task->pending, INPUT_MAX);
}

static void write_input(struct task *task)
{
	while (task->input.fd >= 0 && task->pending.len > 0) {
		ssize_t n = write(task->input.fd, task->pending.ptr, task->pending.len);

		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			/* It ended, or wants no more: its exit code tells. */
			close_input(task);
			return;
		}
		buf_drop_front(&task->pending, (size_t)n);
	}
	if (task->pending.len > 0) {
		if (!loop_watch(task->loop, &task->input, EPOLLOUT))
			close_input(task);
	} else {
		loop_forget(task->loop, &task->input);
		if (task->input_ends)
			close_input(task);
	}
}

static void on_input(struct loop_source *source, u32 events)
{
	struct task *task = container_of(source, struct task, input);

	(void)events;
	write_input(task);
	if (task->pending.len == 0 && task->owner)
		task->listener.wants_input(task->owner);
}

bool task_input(struct task *task, struct slice bytes)
{
	if (task->input.fd < 0)
		return true; /* nobody reads it: gone, as with any pipe */
	buf_add_slice(&task->pending, bytes);
	if (task->pending.failed)
		close_input(task);
	else
		write_input(task);
	return task->pending.len == 0;
}

void task_end_input(struct task *task)
{
	task->input_ends = true;
	write_input(task);
}

/* ---- start and end ---- */

static const struct kind *kind_find(const char *name)
{
	for (size_t i = 0; i < array_count(kinds); i++) {
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	}
	return NULL;
}

static bool make_plan(struct spawn_plan *plan, const struct kind *kind, const json_t *arguments,
		      struct error *error)
{
	*plan = (struct spawn_plan){ .sandbox = kind->sandbox, .folder = "/" };
	slice_copy(plan->name, sizeof(plan->name), SLICE("task"));
	spawn_add_word(plan, "/bin/hikyaku");
	for (u32 i = 0; i < array_count(kind->words) && kind->words[i]; i++)
		spawn_add_word(plan, "%s", kind->words[i]);
	for (size_t i = 0; i < json_array_size(arguments); i++) {
		const char *word = json_string_value(json_array_get(arguments, i));

		if (!word || !word[0] || strlen(word) >= SPAWN_WORD_SIZE ||
		    i + 8 >= SPAWN_WORDS_MAX)
			return error_set(error, "%s: argument %zu is not a text that can be used",
					 kind->name, i + 1);
		spawn_add_word(plan, "%s", word);
	}
	return true;
}

static struct task *find_room(const struct kind *kind, struct error *error)
{
	struct task *room = NULL;

	for (u32 i = 0; i < TASKS_MAX; i++) {
		if (!tasks[i].is_used)
			room = &tasks[i];
		else if (kind->is_exclusive && tasks[i].kind == kind) {
			error_set(error, "%s is running already", kind->name);
			return NULL;
		}
	}
	if (!room)
		error_set(error, "%u tasks are running; try again when one has ended", TASKS_MAX);
	return room;
}

struct task *task_start(struct loop *loop, const char *name, const json_t *arguments,
			bool has_input, const struct task_listener *listener, void *owner,
			struct error *error)
{
	const struct kind *kind = kind_find(name);
	struct spawn_plan plan;
	struct task *task;
	int input = -1;
	int output;

	if (!kind) {
		error_set(error, "there is no task '%s'", name);
		return NULL;
	}
	task = find_room(kind, error);
	if (!task || !make_plan(&plan, kind, arguments, error))
		return NULL;
	*task = (struct task){ .kind = kind, .loop = loop, .listener = *listener, .owner = owner };
	task->lines.max = STREAM_LINE_SIZE;
	task->pid = spawn_with_input(&plan, &output, has_input ? &input : NULL, error);
	if (task->pid < 0)
		return NULL;
	task->is_used = true;
	task->output = (struct loop_source){ .ready = on_output, .fd = output };
	task->input = (struct loop_source){ .ready = on_input, .fd = input };
	buf_init(&task->pending, INPUT_MAX);
	if (!loop_watch(loop, &task->output, EPOLLIN))
		log_warn("init", "the output of a task is not seen", "task=%s", name);
	return task;
}

void task_leave(struct task *task)
{
	task->owner = NULL;
	/* Half an input must not be taken for a whole one: the task sees that it breaks off. */
	if (task->input.fd >= 0 && !task->input_ends)
		kill(task->pid, SIGTERM);
	close_input(task);
}

bool task_reaped(pid_t pid, int status)
{
	for (u32 i = 0; i < TASKS_MAX; i++) {
		struct task *task = &tasks[i];

		if (!task->is_used || task->pid != pid)
			continue;
		read_output(task);
		stream_cut_rest(&task->lines, give_line, task);
		loop_forget(task->loop, &task->output);
		close(task->output.fd);
		close_input(task);
		buf_done(&task->pending);
		task->is_used = false;
		if (task->owner)
			task->listener.ended(task->owner, WIFEXITED(status)
								  ? WEXITSTATUS(status)
								  : 128 + WTERMSIG(status));
		return true;
	}
	return false;
}

void task_stop_all(void)
{
	for (u32 i = 0; i < TASKS_MAX; i++) {
		if (tasks[i].is_used)
			kill(tasks[i].pid, SIGTERM);
	}
}

u32 task_count(void)
{
	u32 count = 0;

	for (u32 i = 0; i < TASKS_MAX; i++)
		count += tasks[i].is_used;
	return count;
}
