package stack

// rule is a reason with the functions that tell of it.
type rule struct {
	reason   string
	anywhere []string // any of these is in the stack
	waiter   []string // or the function that waits is one of these,
	by       []string // by means of one whose name begins so; nil: any
}

var semaphore = []string{"down_", "rwsem_down_"}

// rules in the order in which they count. Kernels differ in what they are built
// of: where a function has another name, or is inlined into its caller, both
// stand here.
var rules = []rule{
	{reason: Preempted, anywhere: []string{"preempt_schedule", "preempt_schedule_irq", "preempt_schedule_notrace",
		"preempt_schedule_common", "preempt_schedule_thunk", "__cond_resched", "_cond_resched", "cond_resched", "yield"}},

	// A thread in reclaim or in a fault waits for whatever these need.
	{reason: MemoryReclaim, anywhere: []string{"try_to_free_pages", "try_to_free_mem_cgroup_pages", "shrink_node",
		"throttle_direct_reclaim", "reclaim_throttle", "wait_iff_congested", "congestion_wait", "try_to_compact_pages",
		"mem_cgroup_handle_over_high", "__mem_cgroup_handle_over_high", "__alloc_pages_slowpath", "out_of_memory"}},
	{reason: PageFault, anywhere: []string{"do_user_addr_fault", "exc_page_fault", "asm_exc_page_fault", "do_page_fault",
		"do_mem_abort", "handle_mm_fault", "fault_in_readable", "iov_iter_fault_in_readable", "fault_in_iov_iter_readable"}},

	// fs/jbd2. wait_transaction_switching is mostly inlined into
	// start_this_handle, which waits itself for the barrier.
	{reason: JournalSpace, anywhere: []string{"__jbd2_log_wait_for_space", "jbd2_log_do_checkpoint"}},
	{reason: TransactionLocked, anywhere: []string{"wait_transaction_locked"}},
	{reason: TransactionSwitching, anywhere: []string{"wait_transaction_switching"}},
	{reason: TransactionReservation, anywhere: []string{"add_transaction_credits"}},
	{reason: CommitToFinish, anywhere: []string{"jbd2_log_wait_commit", "jbd2_complete_transaction", "jbd2_journal_force_commit"}},
	{reason: FastCommit, anywhere: []string{"ext4_fc_commit", "jbd2_fc_begin_commit", "jbd2_fc_wait_bufs",
		"ext4_fc_wait_committing_inode"}, waiter: []string{"ext4_fc_track_inode", "ext4_fc_track_template", "ext4_fc_del", "ext4_fc_start_update"}},
	{reason: TransactionBarrier, anywhere: []string{"jbd2_journal_lock_updates", "jbd2_journal_wait_updates"},
		waiter: []string{"start_this_handle"}},
	{reason: BufferLock, anywhere: []string{"__lock_buffer", "out_of_line_wait_on_bit_lock"}},
	{reason: JournalBuffer, anywhere: []string{"do_get_write_access", "jbd2_journal_get_undo_access"},
		waiter: []string{"jbd2_journal_get_write_access"}},

	// fs/xfs.
	{reason: XFSLogBuffer, anywhere: []string{"xlog_state_get_iclog_space"}},
	{reason: XFSLogForce, anywhere: []string{"xfs_log_force", "xfs_log_force_seq", "xfs_log_force_lsn", "__xfs_log_force_lsn",
		"xlog_force_lsn", "xlog_cil_force_seq", "xlog_cil_force_lsn", "xlog_wait_on_iclog"}},
	{reason: XFSLogSpace, anywhere: []string{"xlog_grant_head_wait", "xlog_grant_head_check"}},
	{reason: XFSLogThrottling, anywhere: []string{"xlog_cil_push_background"}, waiter: []string{"xlog_cil_commit", "xfs_log_commit_cil"}},
	{reason: XFSPinned, anywhere: []string{"xfs_iunpin_wait", "__xfs_iunpin_wait", "xfs_buf_wait_unpin"}},
	{reason: XFSBufferLock, anywhere: []string{"xfs_buf_lock", "xfs_buf_find_lock"}, waiter: []string{"xfs_buf_find"}},

	// block.
	{reason: RequestTag, anywhere: []string{"blk_mq_get_tag"}},
	{reason: RequestQueue, anywhere: []string{"rq_qos_wait", "wbt_wait", "blk_queue_enter", "bio_queue_enter", "__bio_queue_enter"}},

	// mm. The functions that wait for a page are often tail calls, or inlined:
	// then the caller tells.
	{reason: DirtyThrottling, anywhere: []string{"balance_dirty_pages", "balance_dirty_pages_ratelimited",
		"balance_dirty_pages_ratelimited_flags"}},
	{reason: PageWriteback, anywhere: []string{"folio_wait_writeback", "folio_wait_writeback_killable", "wait_on_page_writeback",
		"wait_on_page_writeback_killable", "folio_wait_stable", "wait_for_stable_page"},
		waiter: []string{"grab_cache_page_write_begin"}, by: []string{"wait_on_page_bit"}},
	{reason: InodeWriteback, anywhere: []string{"inode_wait_for_writeback", "__inode_wait_for_writeback"}},
	{reason: PageLock, anywhere: []string{"__folio_lock", "__folio_lock_killable", "__lock_page", "__lock_page_killable",
		"folio_wait_bit", "folio_wait_bit_common", "wait_on_page_bit", "wait_on_page_bit_common"},
		waiter: []string{"__filemap_get_folio", "__filemap_get_folio_mpol", "pagecache_get_page"}, by: []string{"io_schedule", "wait_on_page_bit"}},

	// Locks. i_rwsem is taken by whoever writes, i_data_sem by who maps blocks.
	{reason: InodeLock, waiter: []string{"ext4_file_write_iter", "ext4_buffered_write_iter", "ext4_dio_write_iter",
		"generic_file_write_iter", "xfs_ilock", "xfs_ilock_iocb", "xfs_ilock_iocb_for_write", "xfs_ilock_for_iomap",
		"xfs_file_buffered_write", "xfs_file_buffered_aio_write", "xfs_file_write_iter"}, by: semaphore},
	{reason: BlockMapLock, waiter: []string{"ext4_map_blocks", "ext4_da_map_blocks", "ext4_da_get_block_prep", "ext4_da_write_end",
		"ext4_da_update_reserve_space", "ext4_map_create_blocks", "ext4_map_query_blocks"}, by: semaphore},
	{reason: Freeze, anywhere: []string{"percpu_rwsem_wait", "__percpu_down_read", "percpu_down_read"}},
	{reason: Futex, anywhere: []string{"futex_wait_queue", "futex_wait_queue_me", "futex_do_wait"}},
	{reason: Mutex, anywhere: []string{"mutex_lock", "mutex_lock_killable", "mutex_lock_interruptible", "__mutex_lock",
		"__mutex_lock_slowpath", "__mutex_lock_killable_slowpath"}},
	{reason: RWSemaphore, anywhere: []string{"rwsem_down_write_slowpath", "rwsem_down_read_slowpath", "down_write", "down_read"}},

	{reason: CacheFlush, anywhere: []string{"blkdev_issue_flush"}},
	{reason: BlockIO, anywhere: []string{"__wait_on_buffer", "submit_bio_wait", "xfs_buf_iowait", "wait_for_completion_io",
		"io_schedule", "io_schedule_timeout"}},
}

// means are the functions by which others wait.
var means = func() map[string]bool {
	m := map[string]bool{}
	for _, f := range []string{
		"__schedule", "schedule", "schedule_timeout", "schedule_timeout_uninterruptible", "schedule_timeout_killable",
		"schedule_preempt_disabled", "schedule_hrtimeout", "schedule_hrtimeout_range", "schedule_hrtimeout_range_clock",
		"io_schedule", "io_schedule_timeout", "bit_wait", "bit_wait_io", "__wait_on_bit", "__wait_on_bit_lock",
		"out_of_line_wait_on_bit", "out_of_line_wait_on_bit_lock",
		"folio_wait_bit", "folio_wait_bit_common", "wait_on_page_bit", "wait_on_page_bit_common",
		"rwsem_down_write_slowpath", "rwsem_down_read_slowpath", "down_write", "down_read", "down_write_killable", "down_read_killable",
		"mutex_lock", "__mutex_lock", "__mutex_lock_slowpath", "down", "__down", "__down_common", "___down_common",
		"wait_for_completion", "wait_for_common", "__wait_for_common", "wait_for_completion_io",
	} {
		m[f] = true
	}
	return m
}()
