import java.nio.file.Paths;
import java.util.concurrent.CountDownLatch;

/**
 * Starts threads with the names that it is given in hexadecimal (UTF-16), one
 * a line, and says of each which thread id the kernel gave it: "tid hex". Then
 * "up". Two of them are busy, if asked for; the others wait. What it reads later
 * are names of more threads; it ends with its input.
 */
class Names {
    static final Object output = new Object();

    public static void main(String[] args) throws Exception {
        java.util.Scanner in = new java.util.Scanner(System.in);
        int first = Integer.parseInt(args[0]);
        boolean busy = args.length > 1;
        CountDownLatch told = new CountDownLatch(first);
        for (int i = 0; i < first; i++) {
            start(in.nextLine(), told, busy && i < 2);
        }
        told.await();
        say("up");
        while (in.hasNextLine()) {
            CountDownLatch one = new CountDownLatch(1);
            start(in.nextLine(), one, false);
            one.await();
        }
    }

    static void start(String hex, CountDownLatch told, boolean busy) {
        char[] name = new char[hex.length() / 4];
        for (int i = 0; i < name.length; i++) {
            name[i] = (char) Integer.parseInt(hex.substring(4 * i, 4 * i + 4), 16);
        }
        Thread t = new Thread(() -> work(hex, told, busy), new String(name));
        t.setDaemon(true);
        t.start();
    }

    static void work(String hex, CountDownLatch told, boolean busy) {
        try {
            say(Paths.get("/proc/thread-self").toRealPath().getFileName() + " " + hex);
            told.countDown();
            for (long n = 0; busy; n++) {
                if (n == Long.MAX_VALUE) say("done");
            }
            Thread.sleep(Long.MAX_VALUE);
        } catch (Exception e) {
            say(e.toString());
        }
    }

    static void say(String line) {
        synchronized (output) {
            System.out.println(line);
            System.out.flush();
        }
    }
}
