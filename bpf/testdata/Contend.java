/** Two threads that meet at one monitor, as often as the first argument says. */
public class Contend {
    static class Bone {
    }

    static final Bone bone = new Bone();

    static class Gnaw implements Runnable {
        final int rounds;
        final long millis;

        Gnaw(int rounds, long millis) {
            this.rounds = rounds;
            this.millis = millis;
        }

        public void run() {
            for (int i = 0; i < rounds; i++) {
                synchronized (bone) {
                    try {
                        Thread.sleep(millis);
                    } catch (InterruptedException e) {
                        return;
                    }
                }
            }
        }
    }

    public static void main(String[] args) throws Exception {
        int rounds = Integer.parseInt(args[0]);
        Thread a = new Thread(new Gnaw(rounds, 5), "first"), b = new Thread(new Gnaw(rounds, 5), "second");
        System.out.println("ready " + a.getId() + " " + b.getId());
        System.in.read();
        a.start();
        b.start();
        a.join();
        b.join();
        System.out.println("done");
        System.in.read();
    }
}
