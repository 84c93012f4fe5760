package stack

import (
	"strings"
	"testing"
)

// Where a stack ends, as they were met on 6.18.
const (
	tail    = " vfs_write ksys_write do_syscall_64 entry_SYSCALL_64_after_hwframe"
	dirty   = " __ext4_journal_get_write_access ext4_reserve_inode_write __ext4_mark_inode_dirty ext4_dirty_inode __mark_inode_dirty generic_update_time file_update_time_flags ext4_buffered_write_iter" + tail
	started = " jbd2__journal_start ext4_dirty_inode __mark_inode_dirty generic_update_time file_update_time_flags ext4_buffered_write_iter" + tail
	begun   = " ext4_da_write_begin generic_perform_write ext4_buffered_write_iter" + tail
	ended   = " ext4_da_write_end generic_perform_write ext4_buffered_write_iter" + tail
	synced  = " do_fsync __x64_sys_fsync do_syscall_64 entry_SYSCALL_64_after_hwframe"
	older   = " ksys_write do_syscall_64 entry_SYSCALL_64_after_hwframe"
)

// These were taken on a slow disk with 6.18, by off-CPU time of eight writers,
// one of which syncs: ext4 in the modes ordered and writeback, with fast_commit,
// with a journal of 4 MB, and XFS.
var met = map[string][]string{
	JournalBuffer: {
		"__schedule schedule io_schedule bit_wait_io __wait_on_bit out_of_line_wait_on_bit do_get_write_access jbd2_journal_get_write_access" + dirty,
		"__schedule schedule io_schedule bit_wait_io __wait_on_bit out_of_line_wait_on_bit do_get_write_access jbd2_journal_get_write_access __ext4_journal_get_write_access ext4_reserve_inode_write __ext4_mark_inode_dirty" + ended,
	},
	BufferLock: {
		"__schedule schedule io_schedule bit_wait_io __wait_on_bit_lock out_of_line_wait_on_bit_lock do_get_write_access jbd2_journal_get_write_access" + dirty,
	},
	TransactionReservation: {
		"__schedule schedule add_transaction_credits start_this_handle jbd2__journal_start ext4_do_writepages ext4_writepages do_writepages filemap_fdatawrite_wbc __filemap_fdatawrite_range file_write_and_wait_range ext4_sync_file" + synced,
	},
	TransactionBarrier: {
		"__schedule schedule start_this_handle" + started,
	},
	CommitToFinish: {
		"__schedule schedule jbd2_log_wait_commit ext4_sync_file" + synced,
	},
	FastCommit: {
		"__schedule schedule ext4_fc_track_inode ext4_reserve_inode_write __ext4_mark_inode_dirty ext4_dirty_inode __mark_inode_dirty generic_update_time file_update_time_flags ext4_buffered_write_iter" + tail,
		"__schedule schedule io_schedule bit_wait_io __wait_on_bit out_of_line_wait_on_bit jbd2_fc_wait_bufs ext4_fc_commit ext4_sync_file" + synced,
		"__schedule schedule jbd2_fc_begin_commit ext4_fc_commit ext4_sync_file" + synced,
		"__schedule schedule jbd2_journal_lock_updates ext4_fc_commit ext4_sync_file" + synced,
	},
	PageLock: {
		"__schedule schedule io_schedule __filemap_get_folio" + begun,
		"__schedule schedule io_schedule __filemap_get_folio iomap_write_begin iomap_file_buffered_write xfs_file_buffered_write" + tail,
	},
	PageWriteback: {
		"__schedule schedule io_schedule folio_wait_bit folio_wait_writeback __filemap_fdatawait_range file_write_and_wait_range ext4_sync_file" + synced,
		"__schedule schedule io_schedule folio_wait_bit folio_wait_writeback writeback_iter iomap_writepages xfs_vm_writepages do_writepages filemap_fdatawrite_wbc __filemap_fdatawrite_range file_write_and_wait_range xfs_file_fsync" + synced,
	},
	BlockMapLock: {
		"__schedule schedule schedule_preempt_disabled rwsem_down_write_slowpath down_write" + ended,
	},
	XFSLogForce: {
		"__schedule schedule xlog_wait_on_iclog xfs_log_force_seq xfs_file_fsync" + synced,
		"__schedule schedule xlog_wait_on_iclog xfs_file_fsync" + synced,
		"__schedule schedule xlog_force_lsn xfs_log_force_seq xfs_file_fsync" + synced,
	},
	Preempted: {
		"__schedule __cond_resched generic_perform_write ext4_buffered_write_iter" + tail,
		"__schedule __cond_resched iomap_file_buffered_write xfs_file_buffered_write" + tail,
	},
}

// These are what the sources of other kernels lead to; only names were seen.
var made = map[string][]string{
	TransactionLocked:    {"__schedule schedule wait_transaction_locked add_transaction_credits start_this_handle" + started},
	TransactionSwitching: {"__schedule schedule wait_transaction_switching start_this_handle" + started},
	TransactionBarrier:   {"__schedule schedule start_this_handle jbd2__journal_start __ext4_journal_start_sb ext4_dirty_inode __mark_inode_dirty generic_update_time file_update_time file_modified ext4_buffered_write_iter new_sync_write vfs_write" + older},
	JournalSpace: {
		"__schedule schedule io_schedule mutex_lock_io __jbd2_log_wait_for_space add_transaction_credits start_this_handle" + started,
		"__schedule schedule io_schedule bit_wait_io __wait_on_bit out_of_line_wait_on_bit __wait_on_buffer jbd2_log_do_checkpoint __jbd2_log_wait_for_space add_transaction_credits start_this_handle" + started,
		"__schedule schedule jbd2_log_wait_commit __jbd2_log_wait_for_space add_transaction_credits start_this_handle" + started,
	},
	JournalBuffer: {
		"bpf_prog_1 bpf_trace_run4 __traceiter_sched_switch __schedule schedule io_schedule bit_wait_io __wait_on_bit out_of_line_wait_on_bit do_get_write_access.isra.0 jbd2_journal_get_write_access" + dirty,
	},
	CommitToFinish: {"__schedule schedule jbd2_log_wait_commit jbd2_complete_transaction ext4_fc_commit ext4_sync_file" + synced},
	FastCommit:     {"__schedule schedule ext4_fc_wait_committing_inode.isra.0 ext4_fc_del ext4_evict_inode evict" + tail},
	PageWriteback: {
		// 5.10: wait_on_page_bit and wait_for_stable_page end in jumps.
		"__schedule schedule io_schedule wait_on_page_bit_common wait_on_page_writeback grab_cache_page_write_begin ext4_da_write_begin generic_perform_write ext4_buffered_write_iter new_sync_write vfs_write" + older,
		"__schedule schedule io_schedule wait_on_page_bit_common grab_cache_page_write_begin ext4_da_write_begin generic_perform_write ext4_buffered_write_iter new_sync_write vfs_write" + older,
		"__schedule schedule io_schedule folio_wait_bit_common folio_wait_writeback __filemap_get_folio" + begun,
	},
	PageLock: {
		"__schedule schedule io_schedule wait_on_page_bit_common pagecache_get_page grab_cache_page_write_begin ext4_da_write_begin generic_perform_write ext4_buffered_write_iter new_sync_write vfs_write" + older,
		"__schedule schedule io_schedule wait_on_page_bit_common ext4_da_write_begin generic_perform_write ext4_buffered_write_iter new_sync_write vfs_write" + older, // so does __lock_page
		"__schedule schedule io_schedule __lock_page pagecache_get_page grab_cache_page_write_begin iomap_write_begin iomap_write_actor iomap_apply iomap_file_buffered_write xfs_file_buffered_aio_write new_sync_write vfs_write" + older,
		"__schedule schedule io_schedule folio_wait_bit_common __filemap_get_folio" + begun,
	},
	DirtyThrottling: {
		"__schedule schedule schedule_timeout io_schedule_timeout balance_dirty_pages balance_dirty_pages_ratelimited generic_perform_write ext4_buffered_write_iter new_sync_write vfs_write" + older,
		"__schedule schedule schedule_timeout io_schedule_timeout balance_dirty_pages.isra.0 balance_dirty_pages_ratelimited_flags iomap_file_buffered_write xfs_file_buffered_write" + tail,
	},
	InodeWriteback: {"__schedule schedule __inode_wait_for_writeback inode_wait_for_writeback evict iput" + tail},
	BlockIO: {
		"__schedule schedule io_schedule bit_wait_io __wait_on_bit out_of_line_wait_on_bit __wait_on_buffer ext4_read_block_bitmap ext4_mb_new_blocks ext4_ext_map_blocks ext4_map_blocks" + begun,
		"__schedule schedule schedule_timeout wait_for_completion xfs_buf_iowait _xfs_buf_read xfs_buf_read_map xfs_trans_read_buf_map xfs_bmapi_read xfs_buffered_write_iomap_begin iomap_iter iomap_file_buffered_write xfs_file_buffered_write" + tail,
	},
	RequestTag: {"__schedule schedule io_schedule blk_mq_get_tag __blk_mq_alloc_requests blk_mq_submit_bio __submit_bio submit_bio_noacct_nocheck ext4_io_submit ext4_do_writepages ext4_writepages do_writepages" + synced},
	RequestQueue: {
		"__schedule schedule io_schedule rq_qos_wait wbt_wait __rq_qos_throttle blk_mq_submit_bio __submit_bio submit_bio_noacct ext4_io_submit ext4_writepages do_writepages" + synced,
	},
	CacheFlush: {"__schedule schedule io_schedule_timeout wait_for_completion_io submit_bio_wait blkdev_issue_flush ext4_sync_file" + synced},
	InodeLock: {
		"__schedule schedule schedule_preempt_disabled rwsem_down_write_slowpath down_write ext4_buffered_write_iter" + tail,
		"__schedule schedule rwsem_down_write_slowpath ext4_buffered_write_iter new_sync_write vfs_write" + older,
		"__schedule schedule schedule_preempt_disabled rwsem_down_write_slowpath down_write xfs_ilock xfs_file_buffered_write" + tail,
		"__schedule schedule rwsem_down_read_slowpath xfs_ilock xfs_file_buffered_aio_write new_sync_write vfs_write" + older,
	},
	RWSemaphore: {"__schedule schedule schedule_preempt_disabled rwsem_down_read_slowpath down_read ext4_xattr_get" + tail},
	Mutex: {
		"__schedule schedule schedule_preempt_disabled __mutex_lock.constprop.0 ext4_mb_load_buddy_gfp ext4_mb_regular_allocator" + begun,
	},
	Freeze: {"__schedule schedule percpu_rwsem_wait __percpu_down_read ext4_journal_check_start __ext4_journal_start_sb ext4_dirty_inode __mark_inode_dirty" + tail},
	MemoryReclaim: {
		"__schedule schedule io_schedule folio_wait_bit_common folio_wait_writeback shrink_folio_list shrink_inactive_list shrink_lruvec shrink_node do_try_to_free_pages try_to_free_pages __alloc_pages_slowpath.constprop.0 __alloc_pages __filemap_get_folio" + begun,
		"__schedule schedule schedule_timeout reclaim_throttle shrink_node do_try_to_free_pages try_to_free_mem_cgroup_pages try_charge_memcg __mem_cgroup_charge __filemap_add_folio __filemap_get_folio" + begun,
	},
	PageFault: {
		"__schedule schedule io_schedule folio_wait_bit_common filemap_fault __do_fault handle_mm_fault do_user_addr_fault exc_page_fault asm_exc_page_fault fault_in_readable fault_in_iov_iter_readable generic_perform_write ext4_buffered_write_iter" + tail,
		"__schedule schedule rwsem_down_read_slowpath down_read do_user_addr_fault exc_page_fault asm_exc_page_fault copy_user_enhanced_fast_string copyin iov_iter_copy_from_user_atomic generic_perform_write ext4_buffered_write_iter" + tail,
	},
	XFSLogSpace:      {"__schedule schedule xlog_grant_head_wait xlog_grant_head_check xfs_log_reserve xfs_trans_reserve xfs_trans_alloc xfs_vn_update_time file_update_time xfs_file_write_checks xfs_file_buffered_write" + tail},
	XFSLogForce:      {"__schedule schedule xlog_wait_on_iclog xfs_log_force_lsn xfs_file_fsync" + synced},
	XFSLogBuffer:     {"__schedule schedule xlog_state_get_iclog_space xlog_write xlog_cil_push_work" + tail},
	XFSLogThrottling: {"__schedule schedule xlog_cil_commit __xfs_trans_commit xfs_vn_update_time xfs_file_write_checks xfs_file_buffered_write" + tail},
	XFSPinned:        {"__schedule schedule io_schedule __xfs_iunpin_wait xfs_iunpin_wait xfs_reclaim_inode" + tail},
	XFSBufferLock: {
		"__schedule schedule schedule_timeout ___down_common __down down xfs_buf_lock xfs_buf_find_lock xfs_buf_lookup xfs_buf_get_map xfs_buf_read_map xfs_trans_read_buf_map xfs_imap_to_bp" + tail,
		"__schedule schedule schedule_timeout __down_common __down down xfs_buf_lock xfs_buf_find xfs_buf_get_map" + tail,
	},
	Preempted: {
		"__schedule preempt_schedule_irq irqentry_exit asm_sysvec_apic_timer_interrupt copy_user_enhanced_fast_string ext4_buffered_write_iter" + tail,
		"__schedule __cond_resched down_write ext4_buffered_write_iter" + tail,
	},
	Futex: {"__schedule schedule futex_wait_queue futex_wait do_futex __x64_sys_futex do_syscall_64 entry_SYSCALL_64_after_hwframe"},
	"": {
		"", "__schedule schedule", "__schedule schedule kjournald2 kthread ret_from_fork",
		"__schedule schedule schedule_timeout wait_for_completion synchronize_rcu" + tail,
	},
}

func TestReason(t *testing.T) {
	for _, table := range []map[string][]string{met, made} {
		for want, all := range table {
			for _, s := range all {
				if got := Reason(frames(s)); got != want {
					t.Errorf("%q, want %q: %s", got, want, s)
				}
			}
		}
	}
}

// frames are named as Kernel names them.
func frames(stack string) []string {
	all := strings.Fields(stack)
	for i := range all {
		all[i] = string(base([]byte(all[i])))
	}
	return all
}

// Every reason is some stack's, so that none stands in vain.
func TestEveryReason(t *testing.T) {
	for _, r := range rules {
		if len(met[r.reason])+len(made[r.reason]) == 0 {
			t.Errorf("no stack with the reason %q", r.reason)
		}
		if len(r.anywhere)+len(r.waiter) == 0 {
			t.Errorf("nothing tells of %q", r.reason)
		}
	}
}

func TestTrim(t *testing.T) {
	for in, want := range map[string]string{
		"__schedule schedule io_schedule": "schedule io_schedule",
		"bpf_prog_6deef7357e7b4530_sched_switch bpf_trace_run4 __traceiter_sched_switch __schedule schedule": "schedule",
		"__traceiter_sched_switch schedule": "schedule",
		"copy_page vfs_write":               "copy_page vfs_write",
		"":                                  "",
	} {
		if got := strings.Join(Trim(strings.Fields(in)), " "); got != want {
			t.Errorf("%q of %q, want %q", got, in, want)
		}
	}
}
