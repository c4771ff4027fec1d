import os
import shutil

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService

from tests.browser.visit import Visit


@pytest.fixture(scope="session")
def browser():
    options = ChromeOptions()
    options.binary_location = shutil.which("chromium")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    switches = ["--headless=new", "--disable-dev-shm-usage", "--no-proxy-server"]
    if os.geteuid() == 0:
        switches.append("--no-sandbox")  # Chromium's sandbox refuses to run as root.
    for switch in switches:
        options.add_argument(switch)
    browser = Chrome(options, ChromeService(shutil.which("chromedriver")))
    yield browser
    browser.quit()


@pytest.fixture
def visit(browser, predictor_url):
    """The page, freshly loaded, with no memory of what was logged before."""
    visit = Visit(browser)
    visit.emulate(prefers_reduced_motion="reduce")
    visit.complaints(), visit.requests()
    browser.get(predictor_url)
    return visit
