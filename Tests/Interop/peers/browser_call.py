"""A browser's call to an echo server as a program of its own, so that it can run in a network namespace.

    browser_call.py URL EXPRESSION PROFILE

Evaluates the expression in the page with media_page.js, and prints the value as one line of JSON.
"""

import json
import pathlib
import sys

import browser

HERE = pathlib.Path(__file__).resolve().parent


def main() -> None:
    url, expression, profile = sys.argv[1:4]
    driver = browser.start(profile, *browser.MEDIA_ARGUMENTS, *sys.argv[4:])
    try:
        # Whoever started this ends it in time.
        driver.set_script_timeout(600)
        driver.get(url)
        outcome = driver.execute_async_script(
            (HERE / "media_page.js").read_text()
            + "\nconst done = arguments[arguments.length - 1];"
            + f"(async () => ({expression}))().then((value) => done({{value}}), (e) => done({{error: String(e.stack)}}));"
        )
        print(json.dumps(outcome))
    finally:
        driver.quit()


main()
