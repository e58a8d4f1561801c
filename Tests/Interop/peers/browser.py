"""Headless Chromium under Selenium, from the machine's own packages: nothing is downloaded."""

import os
import shutil

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    # Timers of a page that nobody looks at would be slowed down.
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    # Nothing here needs the network outside.
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)


# A camera that shows a moving picture and a microphone that beeps, which any page may use.
MEDIA_ARGUMENTS = (
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
)


def start(profile: str, *more: str) -> webdriver.Chrome:
    """A browser with that folder as its profile, and more arguments. CHROMIUM and CHROMEDRIVER name other programs, and
    CHROMIUM_ARGUMENTS has still more arguments."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    driver = os.environ.get("CHROMEDRIVER") or shutil.which("chromedriver")
    if not chromium or not driver:
        raise FileNotFoundError("chromium or chromedriver is missing: run Scripts/install-dependencies.sh test")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    given = os.environ.get("CHROMIUM_ARGUMENTS", "").split()
    for argument in (*ARGUMENTS, *more, *given, f"--user-data-dir={profile}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=Service(driver))
