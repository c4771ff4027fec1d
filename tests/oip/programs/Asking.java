import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;

/**
 * Asks with Java's HttpClient and its defaults, which offer HTTP/2 with every request.
 *
 * <p>Arguments: a base URL, a path and a body. Prints how it asked, the status and the answer.
 */
public class Asking {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    public static void main(String[] arguments) throws Exception {
        URI base = URI.create(arguments[0]);
        URI target = base.resolve(arguments[1]);
        byte[] body = arguments[2].getBytes(StandardCharsets.UTF_8);
        BodyPublisher whole = BodyPublishers.ofByteArray(body);
        // Its length is not known, so that it goes in chunks.
        BodyPublisher stream = BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body));
        for (int turn = 0; turn < 3; turn++) {
            ask("live", HttpRequest.newBuilder(base.resolve("/v2/health/live")));
            ask("whole", HttpRequest.newBuilder(target).POST(whole));
            ask("chunked", HttpRequest.newBuilder(target).POST(stream));
            ask("continued", HttpRequest.newBuilder(target).expectContinue(true).POST(whole));
            ask("http1", HttpRequest.newBuilder(target).version(HttpClient.Version.HTTP_1_1).POST(whole));
        }
    }

    private static void ask(String how, HttpRequest.Builder request) throws Exception {
        var answer = CLIENT.send(request.build(), BodyHandlers.ofString());
        System.out.println(how + "\t" + answer.statusCode() + "\t" + answer.body());
    }
}
