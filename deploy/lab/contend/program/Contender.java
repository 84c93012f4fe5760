import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Paths;

/** One thread of a scenario, and what it writes down of its doings. */
final class Contender implements Runnable {
    interface Part {
        void play(Contender c) throws Exception;
    }

    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final int FIELDS = 4; // of a hold: lock, asked, got, released

    final int index;
    final Thread thread;
    private final Part part;
    private final long[] log;
    private int logged;
    private int tid; // the kernel's; of a virtual thread that of its first carrier
    private long before; // blocked then
    private volatile long blocked; // in the end; -1 not yet
    volatile long holds;
    volatile long work, result;
    volatile Throwable failed;

    Contender(int index, String name, boolean virtual, int kept, Part part) throws Exception {
        this.index = index;
        this.part = part;
        this.log = new long[kept * FIELDS];
        this.blocked = -1;
        this.thread = virtual ? virtual(name) : new Thread(this, name);
    }

    /** Thread.ofVirtual().name(name).unstarted(this), which release 11 does not know. */
    private Thread virtual(String name) throws Exception {
        Object builder = Thread.class.getMethod("ofVirtual").invoke(null);
        Class<?> type = Class.forName("java.lang.Thread$Builder");
        builder = type.getMethod("name", String.class).invoke(builder, name);
        return (Thread) type.getMethod("unstarted", Runnable.class).invoke(builder, this);
    }

    @Override
    public void run() {
        try {
            String self = Files.readSymbolicLink(Paths.get("/proc/thread-self")).getFileName().toString();
            tid = Integer.parseInt(self);
            part.play(this);
        } catch (Throwable e) {
            failed = e;
        }
        blocked = blockedNow() - before;
    }

    /** What comes from here on counts: the JVM has loaded what it needs. */
    void begin() {
        before = blockedNow();
    }

    /** Has held a lock, and is about to release it. All in nanoseconds of CLOCK_MONOTONIC. */
    void held(int lock, long asked, long got) {
        holds++;
        if (logged < log.length) {
            log[logged] = lock;
            log[logged + 1] = asked;
            log[logged + 2] = got;
            log[logged + 3] = System.nanoTime();
            logged += FIELDS;
        }
    }

    /** How often it waited for a monitor, as the JVM counts; 0 of a virtual thread. */
    long blocked() {
        long b = blocked;
        return b >= 0 ? b : blockedNow() - before;
    }

    private long blockedNow() {
        ThreadInfo info = THREADS.getThreadInfo(thread.getId());
        return info == null ? 0 : info.getBlockedCount();
    }

    void log(PrintWriter out) {
        out.println("thread\t" + index + "\t" + tid + "\t" + blocked() + "\t" + thread.getName());
        for (int i = 0; i < logged; i += FIELDS) {
            out.println("hold\t" + index + "\t" + log[i] + "\t" + log[i + 1] + "\t" + log[i + 2] + "\t" + log[i + 3]);
        }
    }
}
