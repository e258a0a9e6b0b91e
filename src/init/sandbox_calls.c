#include "init/sandbox_calls.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

/*
 * A list of what is denied, not of what is allowed: which calls a C library or OpenSSL makes
 * changes with every release, and a sender that dies of a harmless new one is no safer. What is
 * here needs privileges that no service has, or has been the way into the kernel more often than
 * its use is worth; each is answered with "operation not permitted", which programs can handle.
 */
static const u32 denied[] = {
	/* the machine */
	SYS_reboot,
	SYS_kexec_load,
	SYS_kexec_file_load,
	SYS_init_module,
	SYS_finit_module,
	SYS_delete_module,
	SYS_iopl,
	SYS_ioperm,
	SYS_swapon,
	SYS_swapoff,
	SYS_acct,
	SYS_syslog,
	SYS_sethostname,
	SYS_setdomainname,
	SYS_quotactl,
	SYS_vhangup,
	/* the view of the file system */
	SYS_pivot_root,
	SYS_chroot,
	SYS_move_mount,
	SYS_open_tree,
	SYS_fsopen,
	SYS_fsconfig,
	SYS_fsmount,
	SYS_fspick,
	SYS_mount_setattr,
	SYS_mknod,
	SYS_mknodat,
	SYS_name_to_handle_at,
	SYS_open_by_handle_at,
	SYS_fanotify_init,
	/* other processes, other worlds */
	SYS_ptrace,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_kcmp,
	SYS_pidfd_getfd,
	SYS_unshare,
	SYS_setns,
	SYS_personality,
	SYS_process_madvise,
	SYS_move_pages,
	SYS_migrate_pages,
	/* large ways into the kernel */
	SYS_bpf,
	SYS_perf_event_open,
	SYS_userfaultfd,
	SYS_add_key,
	SYS_request_key,
	SYS_keyctl,
	SYS_vmsplice,
	SYS_lookup_dcookie,
	SYS_modify_ldt,
};
static const u32 ring_calls[] = { SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register };
static const u32 mount_calls[] = { SYS_mount, SYS_umount2 };
static const u32 clock_calls[] = { SYS_settimeofday, SYS_clock_settime, SYS_adjtimex,
				   SYS_clock_adjtime };

#define X32_BIT 0x40000000u
#define NAMESPACES                                                                                 \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |             \
	 CLONE_NEWPID | CLONE_NEWNET)
#define FILTER_MAX 256

struct filter {
	struct sock_filter code[FILTER_MAX];
	u16 len;
};

static void add(struct filter *filter, struct sock_filter instruction)
{
	filter->code[filter->len++] = instruction;
}

static void load(struct filter *filter, u32 offset)
{
	add(filter, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset));
}

static void answer(struct filter *filter, u32 action)
{
	add(filter, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

/* The next instruction is met only if the accumulator is (or has, or is at least) `value`. */
static void when(struct filter *filter, u16 test, u32 value)
{
	add(filter, (struct sock_filter)BPF_JUMP((u16)(BPF_JMP | test | BPF_K), value, 0, 1));
}

static void deny(struct filter *filter, const u32 *calls, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		when(filter, BPF_JEQ, calls[i]);
		answer(filter, SECCOMP_RET_ERRNO | EPERM);
	}
}

/* Skips `count` instructions unless the call is `number`. */
static void only_for(struct filter *filter, u32 number, u8 count)
{
	add(filter, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, count));
}

/* Threads and processes, but no namespaces. clone3 keeps its flags in memory, out of our sight. */
static void deny_namespaces(struct filter *filter)
{
	when(filter, BPF_JEQ, SYS_clone3);
	answer(filter, SECCOMP_RET_ERRNO | ENOSYS);
	only_for(filter, SYS_clone, 4);
	load(filter, offsetof(struct seccomp_data, args[0]));
	when(filter, BPF_JSET, (u32)NAMESPACES);
	answer(filter, SECCOMP_RET_ERRNO | EPERM);
	answer(filter, SECCOMP_RET_ALLOW);
}

static void allow_families(struct filter *filter, u32 rights)
{
	u32 families[5] = { AF_UNIX, AF_INET, AF_INET6 };
	u32 count = 3;

	if (rights & SANDBOX_NETLINK)
		families[count++] = AF_NETLINK;
	if (rights & SANDBOX_PACKETS)
		families[count++] = AF_PACKET;
	only_for(filter, SYS_socket, (u8)(2 + 2 * count));
	load(filter, offsetof(struct seccomp_data, args[0]));
	for (u32 i = 0; i < count; i++) {
		when(filter, BPF_JEQ, families[i]);
		answer(filter, SECCOMP_RET_ALLOW);
	}
	answer(filter, SECCOMP_RET_ERRNO | EAFNOSUPPORT);
}

static void make_filter(struct filter *filter, u32 rights)
{
	load(filter, offsetof(struct seccomp_data, arch));
	add(filter,
	    (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0));
	answer(filter, SECCOMP_RET_KILL_PROCESS);
	load(filter, offsetof(struct seccomp_data, nr));
	when(filter, BPF_JGE, X32_BIT);
	answer(filter, SECCOMP_RET_KILL_PROCESS);
	deny(filter, denied, array_count(denied));
	if (!(rights & SANDBOX_RINGS))
		deny(filter, ring_calls, array_count(ring_calls));
	if (!(rights & SANDBOX_CLOCK))
		deny(filter, clock_calls, array_count(clock_calls));
	if (!(rights & SANDBOX_MOUNTS))
		deny(filter, mount_calls, array_count(mount_calls));
	deny_namespaces(filter);
	allow_families(filter, rights);
	answer(filter, SECCOMP_RET_ALLOW);
}

bool sandbox_restrict_calls(u32 rights, struct error *error)
{
	static struct filter filter;
	struct sock_fprog program = { .filter = filter.code };

	filter.len = 0;
	make_filter(&filter, rights);
	program.len = filter.len;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0)
		return error_set_errno(error, errno, "seccomp");
	return true;
}
