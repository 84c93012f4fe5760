import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.locks.LockSupport;

/**
 * Threads and the locks that they contend for. Options: mode (even, slow,
 * chain), threads, locks, rate, hold_ns, quick_ns, workers, log (holds kept of
 * each thread), virtual, name (of the threads, before their number).
 */
final class Scenario {
    /** What is contended for: no other monitor is of this class. */
    static final class Lock {
        final int number;
        long turn; // even: when the present holder lets go

        Lock(int number) {
            this.number = number;
        }
    }

    private static final int LATE = 4; // turns that are made up for

    private final Lock[] locks;
    private final List<Contender> contenders = new ArrayList<>();
    private final List<Contender> workers = new ArrayList<>();
    private final CyclicBarrier barrier;
    private final long hold, quick;
    private volatile long turn;
    private volatile boolean ended;
    private boolean over; // ended, as all saw it when they met

    Scenario(Properties o) throws Exception {
        int threads = number(o, "threads"), kept = number(o, "log");
        boolean virtual = Boolean.parseBoolean(o.getProperty("virtual"));
        String name = o.getProperty("name");
        locks = new Lock[number(o, "locks")];
        for (int i = 0; i < locks.length; i++) {
            locks[i] = new Lock(i);
        }
        hold = number(o, "hold_ns");
        quick = number(o, "quick_ns");
        if (number(o, "rate") > 0) {
            rate(number(o, "rate"));
        }
        barrier = new CyclicBarrier(threads, () -> over = ended);
        Contender.Part part = part(o.getProperty("mode"));
        for (int i = 0; i < threads; i++) {
            contenders.add(new Contender(i, name + i, virtual, kept, c -> {
                meet();
                c.begin();
                part.play(c);
            }));
        }
        for (int i = 0; i < number(o, "workers"); i++) {
            workers.add(new Contender(threads + i, "worker-" + i, false, 0, this::work));
        }
    }

    private static int number(Properties o, String key) {
        return Integer.parseInt(o.getProperty(key));
    }

    private Contender.Part part(String mode) {
        switch (mode) {
            case "even":
                return this::even;
            case "slow":
                return this::slow;
            case "chain":
                return this::chain;
        }
        throw new IllegalArgumentException(mode);
    }

    /** Each enter of a lock is contended, so there are as many turns as enters. */
    void rate(int perSecond) {
        turn = 1_000_000_000L * locks.length / perSecond;
    }

    void start() {
        for (Contender c : contenders) {
            c.thread.start();
        }
        for (Contender c : workers) {
            c.thread.start();
        }
    }

    void end() throws Exception {
        ended = true;
        for (Contender c : contenders) {
            c.thread.join();
        }
        for (Contender c : workers) {
            c.thread.join();
        }
    }

    /**
     * Holders take turns of equal length, and each asks again half a turn after
     * it let go, when another has the lock. So the lock is never free, and
     * who lets go does not get it back at once.
     */
    private void even(Contender c) {
        Lock lock = locks[c.index % locks.length];
        while (!ended) {
            long asked = System.nanoTime();
            synchronized (lock) {
                long got = System.nanoTime();
                lock.turn = Math.max(lock.turn, got - LATE * turn) + turn;
                sleepUntil(lock.turn);
                c.held(lock.number, asked, got);
            }
            sleepUntil(System.nanoTime() + turn / 2);
        }
    }

    /** The first has the lock for long, the others ask meanwhile and are quick. */
    private void slow(Contender c) throws Exception {
        while (meet()) {
            if (c.index > 0) {
                meet();
                take(c, locks[0], quick);
                continue;
            }
            long asked = System.nanoTime();
            synchronized (locks[0]) {
                long got = System.nanoTime();
                meet();
                sleepUntil(System.nanoTime() + hold);
                c.held(0, asked, got);
            }
        }
    }

    /** Each has the lock that the one before asks for, and asks for the next; the last has it for long. */
    private void chain(Contender c) throws Exception {
        while (meet()) {
            if (c.index == 0) {
                meet();
                take(c, locks[0], 0);
                continue;
            }
            Lock own = locks[c.index - 1];
            long asked = System.nanoTime();
            synchronized (own) {
                long got = System.nanoTime();
                meet();
                if (c.index < locks.length) {
                    take(c, locks[c.index], 0);
                } else {
                    sleepUntil(System.nanoTime() + hold);
                }
                c.held(own.number, asked, got);
            }
        }
    }

    private void take(Contender c, Lock lock, long nanos) {
        long asked = System.nanoTime();
        synchronized (lock) {
            long got = System.nanoTime();
            sleepUntil(got + nanos);
            c.held(lock.number, asked, got);
        }
    }

    /** Waits for all others, without a monitor; false once it is over. */
    private boolean meet() throws Exception {
        barrier.await();
        return !over;
    }

    private void work(Contender c) {
        long x = c.index;
        for (; !ended; c.work++) {
            for (int i = 0; i < 1000; i++) {
                x = x * 6364136223846793005L + 1442695040888963407L;
            }
        }
        c.result = x; // or it need not be worked out
    }

    private static void sleepUntil(long instant) {
        for (long left; (left = instant - System.nanoTime()) > 0; ) {
            LockSupport.parkNanos(left);
        }
    }

    String counts() {
        long holds = 0, blocked = 0, work = 0;
        String failed = "";
        for (Contender c : contenders) {
            holds += c.holds;
            blocked += c.blocked();
            failed = c.failed == null ? failed : " " + c.failed;
        }
        for (Contender c : workers) {
            work += c.work;
        }
        return "counts " + System.nanoTime() + " " + holds + " " + blocked + " " + work + failed;
    }

    void log(PrintWriter out) {
        for (Contender c : contenders) {
            c.log(out);
        }
    }
}
