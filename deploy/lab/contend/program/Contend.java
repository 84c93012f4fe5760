import java.io.BufferedReader;
import java.io.FileWriter;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.Properties;

/**
 * Contends for monitors as it is told, a line of its input at a time:
 * <pre>
 * run KEY=VALUE…   start threads (see Scenario)
 * rate N           from now on: contended enters a second
 * count            say what was done so far
 * end FILE         end the threads; who held what when goes to the file, "-" for none
 * </pre>
 * Each is answered by a line. It ends with its input.
 */
public final class Contend {
    public static void main(String[] args) throws Exception {
        // As a broker would; see jvm.Inspect.
        ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        System.out.println("ready");
        Scenario scenario = null;
        for (String line; (line = in.readLine()) != null; ) {
            String[] words = line.split(" ");
            switch (words[0]) {
                case "run":
                    scenario = new Scenario(options(words));
                    scenario.start();
                    System.out.println("running");
                    break;
                case "rate":
                    scenario.rate(Integer.parseInt(words[1]));
                    System.out.println("rated");
                    break;
                case "count":
                    System.out.println(scenario.counts());
                    break;
                case "end":
                    scenario.end();
                    log(scenario, words[1]);
                    System.out.println(scenario.counts());
                    break;
                default:
                    throw new IllegalArgumentException(line);
            }
        }
        listener.close();
    }

    private static Properties options(String[] words) {
        Properties all = new Properties();
        for (String w : words) {
            int at = w.indexOf('=');
            if (at > 0) {
                all.setProperty(w.substring(0, at), w.substring(at + 1));
            }
        }
        return all;
    }

    private static void log(Scenario scenario, String file) throws Exception {
        if (file.equals("-")) {
            return;
        }
        try (PrintWriter out = new PrintWriter(new FileWriter(file))) {
            scenario.log(out);
        }
    }
}
