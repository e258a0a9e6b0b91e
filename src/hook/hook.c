#include "hook/hook.h"

#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"
#include "base/ready.h"
#include "base/role.h"
#include "base/text.h"
#include "hook/post.h"
#include "hook/sender.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define LOOK_NS (250 * NS_PER_MS) /* how often the sender is asked for news when there are none */
#define STOP_PATIENCE_NS (5 * NS_PER_S)

struct role {
	struct config config;
	struct courier *couriers;
	size_t count;
	struct hook_posts *posts;
	struct hook_sender sender;
	u64 next_look_ns;
	int signal_fd;
	u32 signals;
	bool is_stopping;
	u64 stop_by_ns;
};

/* ---- what happened ---- */

static void log_answer(const struct courier *courier, bool was_failing, bool was_suspended)
{
	const char *name = courier->config->name;

	if (courier->suspended_ms > 0 && !was_suspended)
		log_error("hook", "a hook is suspended: it takes nothing until it is resumed",
			  "hook=%s reason=%s", name, courier->note);
	else if (courier->failures > 0)
		log_warn("hook", "a post failed", "hook=%s failures=%u reason=%s", name,
			 courier->failures, courier->note);
	else if (was_failing)
		log_info("hook", "posts are taken again", "hook=%s", name);
}

static void take_answers(struct role *role, u64 now_ns)
{
	struct courier_answer answer;
	size_t place;

	while (hook_posts_next(role->posts, &place, &answer)) {
		struct courier *courier = &role->couriers[place];
		const bool was_failing = courier->failures > 0;
		const bool was_suspended = courier->suspended_ms > 0;
		const bool was_test = courier->is_testing;

		courier_answered(courier, &answer, now_ns, clock_wall_ms());
		if (!was_test)
			log_answer(courier, was_failing, was_suspended);
		/* There is more, perhaps. */
		role->next_look_ns = now_ns;
	}
}

/* ---- what is to be done ---- */

static void post(struct role *role, size_t place, bool is_test, u64 now_ns)
{
	struct courier *courier = &role->couriers[place];
	const struct hook_batch *batch = is_test ? &courier->test : &courier->batch;
	const struct courier_answer nothing = { .words = "out of memory" };

	courier_sent(courier, is_test);
	if (!hook_post(role->posts, place, courier->config, &courier->secrets, batch,
		       clock_wall_ms()))
		courier_answered(courier, &nothing, now_ns, clock_wall_ms());
}

/* False: the sender is gone. */
static bool serve(struct role *role, size_t place, u64 now_ns)
{
	struct courier *courier = &role->couriers[place];
	enum courier_wish wish = courier_wish(courier, role->sender.last, now_ns);

	if (role->is_stopping && wish != COURIER_WAITS)
		wish = COURIER_WAITS;
	if (wish == COURIER_WANTS_ENTRIES) {
		if (!hook_sender_fetch(&role->sender, courier, now_ns))
			return false;
		wish = courier_wish(courier, role->sender.last, now_ns);
		/* None of what was looked at was for it: on with what lies behind. */
		if (wish == COURIER_WANTS_ENTRIES)
			role->next_look_ns = now_ns;
	}
	if (wish == COURIER_WANTS_POST)
		post(role, place, false, now_ns);
	else if (wish == COURIER_WANTS_TEST && courier_make_test(courier, clock_wall_ms()))
		post(role, place, true, now_ns);
	if (courier->has_test_note && !hook_sender_tell_test(&role->sender, courier, now_ns))
		return false;
	return !courier_wants_ack(courier, role->sender.last, now_ns) ||
	       hook_sender_tell(&role->sender, courier, now_ns);
}

/* Posts go out again without the sender, too: what they need is here. */
static void serve_alone(struct role *role, u64 now_ns)
{
	for (size_t i = 0; i < role->count && !role->is_stopping; i++) {
		if (courier_wish(&role->couriers[i], 0, now_ns) == COURIER_WANTS_POST)
			post(role, i, false, now_ns);
	}
}

static void turn(struct role *role)
{
	const u64 now_ns = clock_mono_ns();
	bool asked = false;

	take_answers(role, now_ns);
	if (now_ns >= role->next_look_ns && hook_sender_ready(&role->sender, now_ns)) {
		role->next_look_ns = now_ns + LOOK_NS;
		asked = hook_sender_look(&role->sender, role->couriers, role->count, now_ns);
		for (size_t i = 0; i < role->count && asked; i++)
			asked = serve(role, i, now_ns);
	}
	if (!asked)
		serve_alone(role, now_ns);
}

static u32 wait_ms(const struct role *role)
{
	const u64 now_ns = clock_mono_ns();
	u64 at = role->next_look_ns;

	if (!role->sender.client)
		at = max_u64(at, role->sender.next_try_ns);
	for (size_t i = 0; i < role->count; i++)
		at = min_u64(at, courier_next_ns(&role->couriers[i]));
	if (role->is_stopping)
		at = min_u64(at, role->stop_by_ns);
	return at > now_ns ? (u32)min_u64((at - now_ns) / NS_PER_MS + 1, 1000) : 0;
}

static bool may_end(const struct role *role)
{
	if (!role->is_stopping)
		return false;
	return role->signals > 1 || hook_posts_running(role->posts) == 0 ||
	       clock_mono_ns() >= role->stop_by_ns;
}

static void run(struct role *role)
{
	while (!may_end(role)) {
		turn(role);
		hook_posts_turn(role->posts, role->signal_fd, wait_ms(role));
		role->signals += role_take_signals(role->signal_fd);
		if (role->signals > 0 && !role->is_stopping) {
			log_info("hook", "stopping", "posts=%u", hook_posts_running(role->posts));
			role->is_stopping = true;
			role->stop_by_ns = clock_mono_ns() + STOP_PATIENCE_NS;
		}
	}
	/* What was taken meanwhile is told; what is not is posted again after the next start. */
	role->next_look_ns = 0;
	turn(role);
}

/* ---- start ---- */

static bool open_couriers(struct role *role, struct error *error)
{
	role->count = role->config.hook_count;
	role->couriers = calloc(role->count, sizeof(role->couriers[0]));
	if (!role->couriers)
		return error_set(error, "out of memory for hooks");
	for (size_t i = 0; i < role->count; i++) {
		const struct config_hook *hook = &role->config.hooks[i];
		struct courier *courier = &role->couriers[i];
		bool is_new;
		u64 seed;

		random_bytes(&seed, sizeof(seed));
		courier_init(courier, hook, seed);
		if (!hook_secrets_load(&courier->secrets, hook->secret_file, &is_new, error))
			return error_prefix(error, "hook \"%s\"", hook->name);
		if (is_new)
			log_info("hook", "a secret was made", "hook=%s file=%s", hook->name,
				 hook->secret_file);
	}
	return true;
}

static void close_role(struct role *role)
{
	hook_posts_close(role->posts);
	hook_sender_done(&role->sender);
	for (size_t i = 0; i < role->count; i++)
		courier_done(&role->couriers[i]);
	free(role->couriers);
	config_free(&role->config);
}

/* Nothing is configured: it waits to be told to end, so that whoever started it need not know. */
static void idle(struct role *role)
{
	struct pollfd signal = { .fd = role->signal_fd, .events = POLLIN };

	log_info("hook", "ready", "hooks=0");
	while (role_take_signals(role->signal_fd) == 0)
		poll(&signal, 1, -1);
}

static const char usage[] =
	"usage: hikyaku hook [--config FILE]\n\n"
	"Posts entries of the delivery log to the URLs of the configuration's sections\n"
	"\"hook\", in the foreground until SIGTERM. See hikyaku.conf(5).\n";

int hook_main(int argc, char **argv)
{
	static struct role role;
	struct error error = { "" };
	int code;
	const char *path = role_config_path(argc, argv, usage, &code);

	if (code >= 0)
		return code;
	if (!config_read(&role.config, path, &error)) {
		fprintf(stderr, "hikyaku: %s\n", error.text);
		return 1;
	}
	umask(077);
	log_set_level((enum log_level)role.config.log);
	role.signal_fd = role_watch_signals(&error);
	if (role.signal_fd >= 0 && role.config.hook_count > 0 && open_couriers(&role, &error))
		role.posts = hook_posts_open(role.count, &error);
	if (role.signal_fd < 0 || (role.config.hook_count > 0 && !role.posts)) {
		fprintf(stderr, "hikyaku: %s\n", error.text);
		return 1;
	}
	hook_sender_init(&role.sender, role.config.control);
	if (!ready_tell())
		log_warn("hook", "the supervisor was not told", "errno=%d", errno);
	if (role.count == 0) {
		idle(&role);
	} else {
		log_info("hook", "ready", "hooks=%zu control=%s", role.count, role.config.control);
		run(&role);
		close_role(&role);
	}
	log_info("hook", "stopped", "");
	return 0;
}
