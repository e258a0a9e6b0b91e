/*
 * System calls. A seccomp filter turns those of the table below into SIGSYS, wherever in the process
 * they are made (libc, liburing's own, other libraries); the handler lets them fail or makes them
 * itself, from the one instruction that the filter lets through. The sanitizer's own calls pass.
 */
#include "nth/inject.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#ifndef __x86_64__
#error "registers of x86-64"
#endif

#define ERRORS_MAX 6
#define PASSED_MAX 8 /* libraries whose calls pass */

/* How a call may fail: what its manual page lists and a kernel in need gives. */
struct rule {
	int number;
	int16_t errors[ERRORS_MAX];
};

static const struct rule rules[] = {
	{ SYS_open, { EMFILE, ENOMEM, EACCES, EIO, EINTR } },
	{ SYS_openat, { EMFILE, ENOMEM, EACCES, EIO, EINTR } },
	{ SYS_read, { EIO, EINTR, INJECT_SHORT } },
	{ SYS_pread64, { EIO, EINTR, INJECT_SHORT } },
	{ SYS_write, { EIO, ENOSPC, EINTR, INJECT_SHORT } },
	{ SYS_pwrite64, { EIO, ENOSPC, EINTR, INJECT_SHORT, EDQUOT } },
	{ SYS_writev, { EIO, ENOSPC, EINTR } },
	{ SYS_pwritev, { EIO, ENOSPC, EINTR } },
	{ SYS_mmap, { ENOMEM, EAGAIN } },
	{ SYS_mremap, { ENOMEM } },
	{ SYS_mprotect, { ENOMEM } },
	{ SYS_msync, { EIO } },
	{ SYS_fsync, { EIO, ENOSPC, EDQUOT } },
	{ SYS_fdatasync, { EIO, ENOSPC, EDQUOT } },
	{ SYS_ftruncate, { EIO, EINTR, EFBIG } },
	{ SYS_fallocate, { ENOSPC, EIO, EINTR, EDQUOT } },
	{ SYS_close, { EIO, EINTR } },
	{ SYS_stat, { EIO, ENOMEM, EACCES } },
	{ SYS_lstat, { EIO, ENOMEM, EACCES } },
	{ SYS_fstat, { EIO, ENOMEM } },
	{ SYS_newfstatat, { EIO, ENOMEM } },
	{ SYS_statx, { EIO, ENOMEM } },
	{ SYS_statfs, { EIO, EINTR, ENOMEM } },
	{ SYS_fstatfs, { EIO, EINTR, ENOMEM } },
	{ SYS_access, { EIO, ENOMEM } },
	{ SYS_faccessat, { EIO, ENOMEM } },
	{ SYS_faccessat2, { EIO, ENOMEM } },
	{ SYS_readlink, { EIO, ENOMEM } },
	{ SYS_mkdir, { EIO, ENOSPC, EACCES } },
	{ SYS_unlink, { EIO, EACCES, EBUSY } },
	{ SYS_rename, { EIO, ENOSPC } },
	{ SYS_chmod, { EIO, EPERM } },
	{ SYS_getdents64, { EIO } },
	{ SYS_flock, { ENOLCK, EINTR, EWOULDBLOCK } },
	{ SYS_fcntl, { ENOLCK, EINTR } },
	{ SYS_socket, { EMFILE, ENFILE, ENOBUFS, ENOMEM } },
	{ SYS_socketpair, { EMFILE, ENFILE, ENOMEM } },
	{ SYS_bind, { EADDRINUSE, EADDRNOTAVAIL, ENOMEM } },
	{ SYS_listen, { EADDRINUSE } },
	{ SYS_connect, { EADDRNOTAVAIL, ENETUNREACH, ECONNREFUSED, EAGAIN } },
	{ SYS_setsockopt, { ENOMEM, ENOBUFS } },
	{ SYS_getsockopt, { ENOBUFS } },
	{ SYS_getsockname, { ENOBUFS } },
	{ SYS_sendto, { ENOBUFS, EINTR, ENETUNREACH, EAGAIN } },
	{ SYS_sendmsg, { ENOBUFS, EINTR, ENETUNREACH, EAGAIN } },
	{ SYS_recvfrom, { ENOMEM, EINTR, ECONNREFUSED, EAGAIN } },
	{ SYS_recvmsg, { ENOMEM, EINTR, ECONNREFUSED, EAGAIN } },
	{ SYS_eventfd2, { EMFILE, ENFILE, ENOMEM } },
	{ SYS_signalfd4, { EMFILE, ENFILE, ENOMEM } },
	{ SYS_timerfd_create, { EMFILE, ENFILE, ENOMEM } },
	{ SYS_timerfd_settime, { ENOMEM } },
	{ SYS_pipe2, { EMFILE, ENFILE } },
	{ SYS_pipe, { EMFILE, ENFILE } },
	{ SYS_epoll_create1, { EMFILE, ENFILE, ENOMEM } },
	{ SYS_epoll_create, { EMFILE, ENFILE, ENOMEM } },
	{ SYS_epoll_ctl, { ENOMEM, ENOSPC } },
	{ SYS_epoll_wait, { EINTR } },
	{ SYS_epoll_pwait, { EINTR } },
	{ SYS_poll, { EINTR, ENOMEM } },
	{ SYS_ppoll, { EINTR, ENOMEM } },
	{ SYS_select, { EINTR, ENOMEM } },
	{ SYS_pselect6, { EINTR, ENOMEM } },
	{ SYS_io_uring_setup, { ENOMEM, EMFILE, EPERM, ENOSYS } },
	{ SYS_io_uring_enter, { EAGAIN, EBUSY, EINTR } },
	{ SYS_io_uring_register, { ENOMEM } },
	{ SYS_getrandom, { EINTR } },
	{ SYS_nanosleep, { EINTR } },
	{ SYS_clock_nanosleep, { EINTR } },
	{ SYS_prlimit64, { EPERM } },
	{ SYS_clone, { EAGAIN } }, /* as pthread_create, below */
};

#define RULES (sizeof(rules) / sizeof(rules[0]))

struct range {
	uint64_t start;
	uint64_t end;
};

/* ---- the one system call that passes ---- */

__asm__(".text\n"
	".globl inject_system_call\n"
	".type inject_system_call, @function\n"
	"inject_system_call:\n"
	".cfi_startproc\n"
	"	mov %rdi, %rax\n"
	"	mov %rsi, %rdi\n"
	"	mov %rdx, %rsi\n"
	"	mov %rcx, %rdx\n"
	"	mov %r8, %r10\n"
	"	mov %r9, %r8\n"
	"	mov 8(%rsp), %r9\n"
	"	syscall\n"
	"inject_behind_system_call:\n"
	"	ret\n"
	".cfi_endproc\n"
	".size inject_system_call, . - inject_system_call\n");

extern const char inject_behind_system_call[];

/* ---- failing ---- */

static const struct rule *rule_of(long number)
{
	for (size_t i = 0; i < RULES; i++) {
		if (rules[i].number == number)
			return &rules[i];
	}
	return NULL;
}

static bool is_file(long fd)
{
	struct stat st;

	return inject_system_call(SYS_fstat, fd, (long)&st, 0, 0, 0, 0) == 0 && S_ISREG(st.st_mode);
}

/* Pipes, sockets and event descriptors do not fail as disks do. */
static int stream_error(long number)
{
	if (number == SYS_read)
		return inject_choice(2) ? EINTR : EAGAIN;
	return EINTR;
}

static int choose_error(const struct rule *rule, long fd)
{
	uint32_t count = 0;

	while (count < ERRORS_MAX && rule->errors[count])
		count++;
	if (!is_file(fd) && (rule->number == SYS_read || rule->number == SYS_write ||
			     rule->number == SYS_writev))
		return stream_error(rule->number);
	return rule->errors[inject_choice(count)];
}

static bool is_lock(long command)
{
	return command == F_SETLK || command == F_SETLKW || command == F_GETLK ||
	       command == F_OFD_SETLK || command == F_OFD_SETLKW;
}

static long call(const greg_t *g, long number, long length)
{
	return inject_system_call(number, (long)g[REG_RDI], (long)g[REG_RSI], length,
				  (long)g[REG_R10], (long)g[REG_R8], (long)g[REG_R9]);
}

static long fail(const struct rule *rule, const greg_t *g)
{
	int error = choose_error(rule, (long)g[REG_RDI]);
	long length = (long)g[REG_RDX];

	inject_note(error);
	if (error == INJECT_SHORT)
		return call(g, rule->number, length > 1 ? length / 2 : length);
	/* It is closed whatever it says. */
	if (rule->number == SYS_close)
		call(g, SYS_close, length);
	return -error;
}

static void on_call(int signal, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	greg_t *g = uc->uc_mcontext.gregs;
	long number = info->si_syscall;
	const struct rule *rule = rule_of(number);
	bool counts = rule && !(number == SYS_fcntl && !is_lock((long)g[REG_RSI]));
	int saved = errno;

	(void)signal;
	if (counts && inject_event(INJECT_CALL, (uint32_t)number))
		g[REG_RAX] = fail(rule, g);
	else
		g[REG_RAX] = call(g, number, (long)g[REG_RDX]);
	errno = saved;
}

/* ---- functions that seccomp cannot see ---- */

int __interceptor_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
				 void *(*run)(void *), void *argument);
void *__interceptor_malloc(size_t size);
void __interceptor_free(void *at);

struct start {
	void *(*run)(void *);
	void *argument;
};

static void *run_thread(void *argument)
{
	struct start start = *(struct start *)argument;
	void *result;

	__interceptor_free(argument);
	inject_thread(true);
	result = start.run(start.argument);
	inject_thread(false);
	return result;
}

/* libc makes a thread with all signals blocked: a trap there would kill. */
int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *),
		   void *argument)
{
	struct start *start;
	int ret;

	if (inject_event(INJECT_CALL, SYS_clone)) {
		inject_note(EAGAIN);
		return EAGAIN;
	}
	start = __interceptor_malloc(sizeof(*start));
	*start = (struct start){ run, argument };
	inject_thread(false);
	ret = __interceptor_pthread_create(thread, attr, run_thread, start);
	inject_thread(true);
	if (ret != 0)
		__interceptor_free(start);
	return ret;
}

static int set_mask(int how, const sigset_t *set, sigset_t *old)
{
	sigset_t kept;

	if (set) {
		kept = *set;
		if (inject_is_on() && how != SIG_UNBLOCK)
			sigdelset(&kept, SIGSYS);
		set = &kept;
	}
	return (int)-inject_system_call(SYS_rt_sigprocmask, how, (long)set, (long)old, 8, 0, 0);
}

int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	return set_mask(how, set, old);
}

int sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	int error = set_mask(how, set, old);

	if (error == 0)
		return 0;
	errno = error;
	return -1;
}

/* ---- the filter ---- */

struct passed {
	struct range ranges[PASSED_MAX];
	size_t count;
};

static int find_sanitizers(struct dl_phdr_info *info, size_t size, void *argument)
{
	struct passed *passed = argument;

	(void)size;
	if (!strstr(info->dlpi_name, "libasan") && !strstr(info->dlpi_name, "libubsan"))
		return 0;
	for (int i = 0; i < info->dlpi_phnum && passed->count < PASSED_MAX; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type == PT_LOAD && (p->p_flags & PF_X))
			passed->ranges[passed->count++] =
				(struct range){ info->dlpi_addr + p->p_vaddr,
						info->dlpi_addr + p->p_vaddr + p->p_memsz };
	}
	return 0;
}

struct program {
	struct sock_filter code[256];
	unsigned short count;
};

static void add(struct program *program, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
	program->code[program->count++] = (struct sock_filter){ code, yes, no, k };
}

#define WORD(field) ((uint32_t)offsetof(struct seccomp_data, field))

/* Lets through what comes from inside the range; none crosses a border of 4 GiB. */
static void pass_range(struct program *program, struct range range)
{
	add(program, BPF_LD | BPF_W | BPF_ABS, WORD(instruction_pointer) + 4, 0, 0);
	add(program, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(range.start >> 32), 0, 4);
	add(program, BPF_LD | BPF_W | BPF_ABS, WORD(instruction_pointer), 0, 0);
	add(program, BPF_JMP | BPF_JGE | BPF_K, (uint32_t)range.start, 0, 2);
	add(program, BPF_JMP | BPF_JGE | BPF_K, (uint32_t)range.end, 1, 0);
	add(program, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
}

static void trap_rules(struct program *program)
{
	add(program, BPF_LD | BPF_W | BPF_ABS, WORD(nr), 0, 0);
	for (size_t i = 0; i < RULES; i++) {
		if (rules[i].number == SYS_clone)
			continue;
		add(program, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)rules[i].number, 0, 1);
		add(program, BPF_RET | BPF_K, SECCOMP_RET_TRAP, 0, 0);
	}
	add(program, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
}

void inject_calls_start(void)
{
	static struct program program;
	struct sigaction action = { .sa_sigaction = on_call, .sa_flags = SA_SIGINFO | SA_NODEFER };
	struct sock_fprog all;
	struct passed passed = { .count = 0 };
	uint64_t own = (uint64_t)(uintptr_t)inject_behind_system_call;

	dl_iterate_phdr(find_sanitizers, &passed);
	pass_range(&program, (struct range){ own, own + 1 });
	for (size_t i = 0; i < passed.count; i++)
		pass_range(&program, passed.ranges[i]);
	trap_rules(&program);
	all = (struct sock_fprog){ program.count, program.code };
	if (sigaction(SIGSYS, &action, NULL) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &all) != 0) {
		perror("nth: seccomp");
		_exit(98);
	}
}
