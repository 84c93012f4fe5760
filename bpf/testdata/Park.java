import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * One thread is handed work through a queue, writes to the file that the first
 * argument names, and then wants a lock that the other holds for 50 ms; as often
 * as the second argument says. Prints when, by System.nanoTime: each wish, each
 * acquisition, each release.
 */
public class Park {
    static final ReentrantLock lock = new ReentrantLock();
    static final ArrayBlockingQueue<Integer> queue = new ArrayBlockingQueue<>(10);

    static void await(FileChannel file, int rounds) throws Exception {
        for (int i = 0; i < rounds; ) {
            if (queue.poll(300, TimeUnit.MILLISECONDS) == null) {
                continue;
            }
            file.write(ByteBuffer.allocate(100));
            long wished = System.nanoTime();
            lock.lock();
            long had = System.nanoTime();
            lock.unlock();
            System.out.println("had " + i++ + " " + wished + " " + had);
        }
    }

    static void hold(int rounds) throws Exception {
        for (int i = 0; i < rounds; i++) {
            lock.lock();
            queue.put(i);
            Thread.sleep(50);
            long released = System.nanoTime();
            lock.unlock();
            System.out.println("released " + i + " " + released);
            Thread.sleep(20);
        }
        Thread.sleep(10_000); // for its name to be looked up
    }

    interface Work {
        void run() throws Exception;
    }

    static Thread thread(String name, Work work) {
        Thread t = new Thread(() -> {
            try {
                work.run();
            } catch (Exception e) {
                e.printStackTrace();
            }
        }, name);
        t.setDaemon(true);
        return t;
    }

    public static void main(String[] args) throws Exception {
        int rounds = Integer.parseInt(args[1]);
        FileChannel file = FileChannel.open(Path.of(args[0]), StandardOpenOption.WRITE);
        System.out.println("ready");
        System.in.read();
        Thread waiter = thread("waiter", () -> await(file, rounds));
        waiter.start();
        Thread holder = thread("holder", () -> hold(rounds));
        holder.start();
        waiter.join();
        holder.join();
        System.out.println("done");
        System.in.read();
    }
}
