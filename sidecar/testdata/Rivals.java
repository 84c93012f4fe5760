import java.lang.management.ManagementFactory;

/**
 * Threads that meet at a few monitors, for some hundred rounds each: most hold one for a moment, some
 * sleep with it, so that others wait as long as a disk may take. Then a GC is asked for and a thread dump.
 */
public class Rivals {
    static final Object[] locks = {new Object(), new Object(), new Object()};
    static final int THREADS = 6, ROUNDS = 400;

    static void contend(int id) {
        for (int i = 0; i < ROUNDS; i++) {
            synchronized (locks[(id + i) % locks.length]) {
                if (i % 8 == id % 8) {
                    pause(2);
                } else {
                    for (long end = System.nanoTime() + 30_000; System.nanoTime() < end; ) {
                    }
                }
            }
        }
    }

    static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    public static void main(String[] args) throws Exception {
        System.out.println("ready");
        System.in.read();
        Thread[] all = new Thread[THREADS];
        StringBuilder ids = new StringBuilder("started");
        for (int i = 0; i < THREADS; i++) {
            int id = i;
            all[i] = new Thread(() -> contend(id), "data-plane-kafka-request-handler-" + i);
            ids.append(' ').append(all[i].getId());
        }
        for (Thread t : all) {
            t.start();
        }
        for (Thread t : all) {
            t.join();
        }
        System.gc();
        ManagementFactory.getThreadMXBean().dumpAllThreads(true, true);
        System.out.println(ids);
        System.in.read();
    }
}
