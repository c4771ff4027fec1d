"""The predictor's page as a person at a browser meets it."""

import json
from dataclasses import dataclass

from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

SECONDS = 30


@dataclass(frozen=True)
class Visit:
    browser: Chrome

    def find(self, selector: str) -> WebElement:
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[WebElement]:
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    @property
    def send(self) -> WebElement:
        return self.find("form button:not([type])")

    def press(self, *keys: str) -> None:
        """Type into what has the focus; a modifier is held until the end of the call."""
        self.browser.switch_to.active_element.send_keys(*keys)

    def paste(self, text: str) -> None:
        """Put a text into the text area at once, as pasting does."""
        script = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input'))"
        self.browser.execute_script(script, self.find("#text"), text)

    def classify(self, text: str) -> str:
        """Paste, click and wait; returns the verdict, or "" when an error is shown."""
        self.paste(text)
        self.send.click()
        return self.answer()

    def answer(self) -> str:
        """Wait until the page has answered; returns the verdict, or "" when an error is shown."""
        wait = WebDriverWait(self.browser, SECONDS)
        wait.until(lambda _: self.find("form").get_attribute("aria-busy") is None)
        wait.until(lambda _: self.find("#verdict").text or self.find("#error").text)
        return self.find("#verdict").text

    def explain(self) -> None:
        self.find("#explain").click()
        self.answer()

    def emulate(self, width: int = 800, **media: str) -> None:
        """Take the width of a screen in CSS pixels, and media features by their names."""
        screen = {"width": width, "height": 700, "deviceScaleFactor": 1, "mobile": width < 500}
        features = [{"name": name.replace("_", "-"), "value": media[name]} for name in media]
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def complaints(self) -> list[str]:
        """What the console has said since it was asked last."""
        return [entry["message"] for entry in self.browser.get_log("browser")]

    def requests(self) -> list[str]:
        """The addresses that the page has asked since this was asked last."""
        entries = self.browser.get_log("performance")
        messages = [json.loads(entry["message"])["message"] for entry in entries]
        sent = [each for each in messages if each["method"] == "Network.requestWillBeSent"]
        return [each["params"]["request"]["url"] for each in sent]
