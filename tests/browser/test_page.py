"""The page at `/` of a real predictor process, in a real browser."""

import pytest
from axe_core_python.selenium import Axe
from selenium.webdriver.common.keys import Keys

V1 = "/v1/models/emotion"
TEXT = "I feel so lonely since my sister moved across the country."
MIXED = "I finished the race, but felt so alone and miserable."  # no word twice
MARKUP = "<b>sad</b> <img src=x onerror=document.title='ran'> <script>document.title='ran'</script>"
MOST = 10_000


def ask(client, text, verb="predict"):
    """What the predictor answers to a program."""
    return client.post(f"{V1}:{verb}", json={"instances": [text]}).raise_for_status().json()


def test_a_bar_for_each_label_shows_its_probability(visit, client):
    verdict = visit.classify(TEXT)
    (prediction,) = ask(client, TEXT)["predictions"]
    expected = sorted(prediction["probabilities"].items(), key=lambda each: -each[1])
    rows = [each.text.split() for each in visit.all("#bars li")]
    assert [row[0] for row in rows] == [name for name, _ in expected]
    tracks, bars = visit.all(".track"), visit.all(".bar")
    for row, track, bar, (_, probability) in zip(rows, tracks, bars, expected, strict=True):
        assert float(row[-2]) == pytest.approx(100 * probability, abs=0.051)
        shown = bar.rect["width"] / track.rect["width"]
        assert shown == pytest.approx(probability, abs=2 / track.rect["width"])
    assert prediction["label"] in verdict


def test_the_model_its_version_and_the_time_are_told(visit, client):
    visit.classify(TEXT)
    assert visit.find("#model").text == "emotion"
    assert visit.find("#version").text == ask(client, TEXT)["model_version"]
    assert int(visit.find("#time").text) >= 0


def test_an_example_is_classified_by_one_click(visit, client):
    example = visit.find("#examples button")
    example.click()
    label = ask(client, example.text)["predictions"][0]["label"]
    assert label in visit.answer()
    assert visit.find("#text").get_property("value") == example.text


def test_the_keyboard_alone_is_enough(visit):
    visit.press(Keys.TAB)
    visit.press(TEXT)
    visit.press(Keys.CONTROL, Keys.ENTER)
    by_shortcut = visit.answer()
    visit.press(Keys.CONTROL, "a")
    visit.press(MIXED)
    for _ in range(len(visit.all("button, input"))):
        visit.press(Keys.TAB)
        if visit.browser.switch_to.active_element == visit.send:
            break
    visit.press(Keys.ENTER)
    assert by_shortcut
    assert visit.answer() != by_shortcut


def test_words_are_shaded_by_what_they_did(visit, client):
    visit.classify(MIXED)
    assert not visit.find("#explanation").is_displayed()
    visit.explain()
    (explanation,) = ask(client, MIXED, "explain")["explanations"]
    words = explanation["words"]
    assert visit.find("#words").text.split() == [each["word"] for each in words]
    weights = {each["word"]: each["weight"] for each in words}
    shades = {each.text: each.get_attribute("class") for each in visit.all("#words mark")}
    strongest = max(weights, key=lambda word: abs(weights[word]))
    assert shades[strongest] in {"for-3", "against-3"}
    for word, shade in shades.items():
        assert shade.startswith("for" if weights[word] > 0 else "against")
        assert word in visit.find("#summary").text
    assert visit.find("#winner").text == explanation["label"]


def test_explanations_can_be_switched_off_again(visit):
    visit.classify(MIXED)
    visit.explain()
    visit.explain()
    assert visit.find("#verdict").text
    assert not visit.find("#explanation").is_displayed()


@pytest.mark.parametrize("character", ["x", "\N{PILE OF POO}"])
def test_the_longest_text_is_counted_and_answered(visit, character):
    assert visit.classify(character * MOST)
    assert visit.find("#count").text == "10,000 of 10,000 characters"


def test_a_text_that_is_too_long_is_refused_before_it_is_sent(visit):
    visit.classify(TEXT)
    visit.requests()
    assert not visit.classify("x" * (MOST + 5))
    assert visit.find("#error").text == "The text is too long: shorten it by 5 characters."
    assert visit.find("#count").text == "10,005 of 10,000 characters"
    assert not visit.find("#result").is_displayed()
    assert visit.requests() == []


def test_no_text_is_refused(visit):
    assert not visit.classify(" \n")
    assert visit.find("#error").text == "Type a text first."


def test_an_error_of_the_server_is_shown_and_goes_away(visit, client):
    # Half a surrogate pair cannot be typed, but it can be pasted.
    visit.browser.execute_script("document.getElementById('text').value = '\\ud800'")
    visit.send.click()
    visit.answer()
    headers = {"content-type": "application/json"}
    answer = client.post(f"{V1}:predict", content='{"instances":["\\ud800"]}', headers=headers)
    assert answer.json()["error"].rstrip(".") in visit.find("#error").text
    assert visit.classify(TEXT)
    assert visit.find("#error").text == ""


@pytest.mark.parametrize(
    ("status", "body", "headers", "told"),
    [
        (503, '{"error": "the queue is full"}', {"Retry-After": "2"}, "full. Try again in 2 s."),
        (503, "<html>", {}, "The server is busy or not ready (status 503)."),
        (502, "<html>", {}, "The server failed (status 502)."),
        (404, "{}", {}, "The server refused the request (status 404)."),
        (200, "<html>", {}, "The answer of the server cannot be read."),
        (200, '{"predictions": []}', {}, "The answer of the server cannot be read."),
    ],
)
def test_other_errors_are_told_in_plain_words(visit, status, body, headers, told):
    visit.classify(TEXT)
    # A server that is overloaded, or a proxy before it, cannot be had on demand.
    script = "const [body, init] = arguments; window.fetch = async () => new Response(body, init)"
    visit.browser.execute_script(script, body, {"status": status, "headers": headers})
    assert not visit.classify(TEXT)
    assert told in visit.find("#error").text


def test_a_lost_connection_is_told_and_can_be_tried_again(visit):
    visit.classify(TEXT)
    visit.browser.set_network_conditions(offline=True, latency=0, throughput=0)
    try:
        assert not visit.classify(TEXT)
    finally:
        visit.browser.delete_network_conditions()
    assert "cannot be reached" in visit.find("#error").text
    assert visit.classify(TEXT)


def test_markup_is_shown_as_text_and_does_not_run(visit):
    title = visit.browser.title
    visit.classify(MARKUP)
    visit.explain()
    assert visit.find("#words").text == MARKUP
    assert visit.all("#words :not(mark)") == []
    assert visit.browser.title == title


def test_a_whole_visit_leaves_the_console_empty_and_asks_no_other_origin(visit, predictor_url):
    visit.classify(TEXT)
    visit.explain()
    visit.find("#examples button").click()
    visit.answer()
    requests = visit.requests()
    assert f"{predictor_url}{V1}:explain" in requests
    assert [each for each in requests if not each.startswith((f"{predictor_url}/", "data:"))] == []
    assert visit.complaints() == []


@pytest.mark.parametrize("text", [MIXED, "nevertheless" * 50])
def test_a_narrow_screen_needs_no_sideways_scrolling(visit, text):
    visit.emulate(width=360)
    visit.classify(text)
    visit.explain()
    assert visit.browser.execute_script("return innerWidth") == 360
    assert visit.browser.execute_script("return document.documentElement.scrollWidth") == 360


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("text", [MIXED, "x" * (MOST + 1)])
def test_it_is_accessible_in_both_colour_schemes(visit, scheme, text):
    visit.emulate(prefers_color_scheme=scheme, prefers_reduced_motion="reduce")
    if visit.classify(text):
        visit.explain()
    background = "return getComputedStyle(document.body).backgroundColor"
    dark = visit.browser.execute_script(background) == "rgb(21, 24, 27)"
    assert dark == (scheme == "dark")
    findings = Axe().run(visit.browser)
    assert findings["passes"]
    assert [(each["id"], each["description"]) for each in findings["violations"]] == []
