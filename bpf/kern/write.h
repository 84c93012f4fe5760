// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Writes to log segments, and the wake-ups between a broker's threads: both are
// write(2), told apart by what the file is. Here is what is done with one;
// vfs.h and syscall.h see them.
#pragma once

#include "inside.h"

// The longest name of a directory that is read by its length.
#define DIR_SHORT 63

static __always_inline void read_head(struct write_record *w, __u64 buf, __u64 count)
{
	w->r.flags = 0;
	if (count < BATCH_HEAD)
		goto none;
	if (bpf_probe_read_user(w->head, BATCH_HEAD, (void *)buf)) {
		w->r.flags = WRITE_UNREAD;
		goto none;
	}
	if (w->head[BATCH_MAGIC] != 2)
		goto none;
	w->r.flags = WRITE_BATCH;
	return;
none:
	__builtin_memset(w->head, 0, BATCH_HEAD);
}

// Of several buffers the first is looked at.
static __always_inline void read_vector(struct write_record *w, __u64 vector, __u64 count)
{
	struct iovec first = {};
	if (count)
		bpf_probe_read_user(&first, sizeof(first), (void *)vector);
	read_head(w, first.base, first.len);
}

static __always_inline int is_segment(const char *name)
{
	return name[20] == '.' && name[21] == 'l' && name[22] == 'o' && name[23] == 'g';
}

// A name that lies in the dentry itself, where programs may not read the kernel's
// memory but through its types.
static __always_inline void read_inline(char *name, struct dentry *dentry, __u32 size)
{
	if (typed && bpf_core_field_exists(dentry->d_iname))
		for (__u32 i = 0; i < size; i++)
			name[i] = dentry->d_iname[i];
}

// The name of a segment has just the length that it is read by.
static __always_inline int read_name(char *name, struct dentry *dentry)
{
	const unsigned char *from = GET(dentry, d_name.name);

	if (direct)
		read_kernel(name, from, SEGMENT_LEN);
	else if (!reads)
		read_inline(name, dentry, SEGMENT_LEN);
	else if (bpf_probe_read_kernel(name, SEGMENT_LEN, from))
		return 0;
	return is_segment(name);
}

// Most directories have a name that lies in the dentry itself, or is not much
// longer. While a rename is under way length and name may be of different ones:
// then the name's own end decides, as for the longer ones.
static __always_inline void read_dir(struct write_record *w, struct dentry *dir)
{
	const unsigned char *from = GET(dir, d_name.name);
	__u32 len = GET(dir, d_name.len);

	if (direct && len <= DIR_SHORT) {
		read_kernel(w->dir, from, 16);
		if (len >= 16)
			read_kernel(w->dir + 16, from + 16, 16);
		if (len >= 32)
			read_kernel(w->dir + 32, from + 32, 32);
		w->r.tail = len;
		__u64 end = len;
		asm volatile("" : "+r"(end)); // the bound below is the verifier's, keep it
		if (w->dir[end & DIR_SHORT] == 0 && GET(dir, d_name.len) == len && GET(dir, d_name.name) == from)
			return;
	}
	if (!reads) {
		read_inline(w->dir, dir, 32);
		w->r.tail = len < 32 ? len : 0;
		return;
	}
	long n = bpf_probe_read_kernel_str(w->dir, sizeof(w->dir), from);
	w->r.tail = n > 1 ? n - 1 : 0;
}

// Follows a file to its names and, if it is a segment, notes the write to it.
static __always_inline struct thread *note_write(__u64 pid_tgid, struct inode *inode, struct dentry *dentry)
{
	char name[32]; // of whole pairs of words
	if (!read_name(name, dentry))
		return 0;
	struct thread *t = remember_thread(pid_tgid);
	if (!t) {
		count_lost(KIND_WRITE);
		return 0;
	}
	struct write_record *w = &t->w;
	__builtin_memcpy(w->name, name, SEGMENT_LEN);
	read_dir(w, GET(dentry, d_parent));
	struct super_block *super = GET(inode, i_sb);
	w->r.dev = GET(super, s_dev);
	w->ino = GET(inode, i_ino);
	return t;
}

static __always_inline int is_eventfd(struct dentry *dentry)
{
	const unsigned char *name = GET(dentry, d_name.name);
	char b[16] = {};

	if (direct)
		read_kernel(b, name, 9);
	else if (reads)
		bpf_probe_read_kernel(b, 9, name);
	else
		read_inline(b, dentry, 9);
	return b[0] == '[' && b[1] == 'e' && b[2] == 'v' && b[3] == 'e' && b[4] == 'n' &&
	       b[5] == 't' && b[6] == 'f' && b[7] == 'd' && b[8] == ']';
}

// A wake-up tells only that the thread has done with what it wrote and waited
// for before: after none of these it says nothing and is left out. A lost one is
// made up for by the next.
static __always_inline void wake(__u64 pid_tgid)
{
	struct thread *t = find_thread(pid_tgid);
	if (!t || !t->worked)
		return;
	struct wake_record rec = {};
	begin(&rec.r, KIND_WAKE, pid_tgid, bpf_ktime_get_ns());
	if (!emit(&rec, sizeof(rec), KIND_WAKE))
		t->worked = 0;
}

// The start of a write. bytes is what write(2) was asked to write, 0 for the
// other calls (no wake-up looks like that).
static __always_inline struct thread *enter(__u64 pid_tgid, struct file *file, __u64 bytes)
{
	struct inode *inode = GET(file, f_inode);
	__u32 type = GET(inode, i_mode) & S_IFMT;

	if (type == S_IFSOCK)
		return 0;
	if (type == S_IFIFO) { // a JDK before 16 wakes a selector by one byte in a pipe
		if (bytes == 1)
			wake(pid_tgid);
		return 0;
	}
	struct dentry *dentry = GET(file, f_path.dentry);
	__u32 len = GET(dentry, d_name.len);
	if (len == SEGMENT_LEN && type == S_IFREG)
		return note_write(pid_tgid, inode, dentry);
	// An anonymous inode is a regular file since 6.16, without a type before
	// (cfd86ef7e8e7 "anon_inode: use a proper mode internally"): its name tells.
	if (bytes == 8 && len == 9 && is_eventfd(dentry))
		wake(pid_tgid);
	return 0;
}

// Last of all, the clock: what came before is not the write's time.
static __always_inline int start(struct thread *t, __u64 pid_tgid)
{
	if (t->writing) // its end was not seen
		count_lost(KIND_WRITE);
	if (t->syncing) { // likewise
		count_lost(KIND_FSYNC);
		t->syncing = 0;
	}
	t->writing = t->worked = 1;
	t->dirty_depth = 0;
	step_in(pid_tgid);
	__u64 now = bpf_ktime_get_ns();
	begin(&t->w.r, KIND_WRITE, pid_tgid, now);
	t->w.start = now;
	return 0;
}

static __always_inline int finish(__s64 ret)
{
	struct thread *t = find_thread(bpf_get_current_pid_tgid());
	if (!t || !t->writing)
		return 0;
	t->writing = 0;
	t->w.r.at = bpf_ktime_get_ns();
	step_out(t);
	t->w.ret = ret;
	read_comm(t->w.comm);
	emit(&t->w, WRITE_FIXED + t->w.r.tail, KIND_WRITE);
	return 0;
}

// What only can be a wake-up of no use is not looked at any further, nor which
// file it goes to: to a segment's it would bring no batch, and the rest of one
// that was begun comes after a write.
static __always_inline int is_idle_wake(__u64 bytes)
{
	if (bytes != 8 && bytes != 1)
		return 0;
	struct thread *t = find_thread(bpf_get_current_pid_tgid());
	return !t || !t->worked;
}
