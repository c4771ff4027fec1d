"""Another task than the shipped one: its task file and hand-written rows."""

import csv
from pathlib import Path

NAMES = ("billing", "technical", "account")

TASK = """\
name: support
description: what a support ticket is about
labels:
  - name: billing
    description: invoices, charges, refunds and payment methods
    examples:
      - You charged my card twice this month.
      - Please send the invoice to our accounting office.
  - name: technical
    description: something is broken, slow or does not work
    examples:
      - The app closes as soon as I open a report.
      - Uploads have been hanging at ninety percent since Monday.
  - name: account
    description: logging in, passwords, profiles and permissions
    examples:
      - I cannot log in with my new password.
      - Please give Maria access to our workspace.
topics: [a monthly plan, a phone app]
"""

TICKETS = {
    "billing": (
        "I was charged twice for the same month.",
        "Please refund the payment from last Tuesday.",
        "The invoice shows the wrong tax number.",
        "Why did the price of my plan go up?",
        "My card was declined although it has money on it.",
        "Can we pay by bank transfer instead of card?",
        "I need a receipt for the annual subscription.",
        "The discount code was not applied to my bill.",
        "You still charge me after I cancelled the plan.",
        "When will the refund arrive in my bank?",
        "The total on the invoice does not match the quote.",
        "Please change the billing address on our invoices.",
        "I want to pay yearly rather than monthly.",
        "There is a fee on my statement that nobody explained.",
        "Our accountant needs all invoices of last year.",
        "The payment page says my card has expired.",
        "How much would ten more seats cost us?",
        "I paid yesterday and the bill is still marked as open.",
        "Please cancel the renewal before the next charge.",
        "We were billed in dollars instead of euros.",
        "The late fee should be taken off our bill.",
    ),
    "technical": (
        "The app crashes whenever I open a report.",
        "Exporting to a spreadsheet fails with error 500.",
        "The page has been loading for ten minutes.",
        "Pictures no longer appear after the last update.",
        "Search returns nothing even for exact titles.",
        "The phone app freezes when I turn the screen.",
        "Uploading a large file stops at ninety percent.",
        "Notifications arrive several hours too late.",
        "The dashboard is blank in my browser.",
        "Your API answers with a timeout since this morning.",
        "The print button does nothing at all.",
        "Data from the sensor is not synchronised any more.",
        "The video stutters even on a fast connection.",
        "After the update the menu covers half of the screen.",
        "The import skips every second row of my file.",
        "Dark mode makes the charts impossible to read.",
        "The desktop program will not install on my laptop.",
        "Dragging a card to another column breaks the layout.",
        "The calendar shows all meetings one hour too early.",
        "Sound is missing in every recording I make.",
        "The server returns garbled text for long documents.",
    ),
    "account": (
        "I forgot my password and the reset mail never comes.",
        "Please give my colleague access to the workspace.",
        "How do I change the email address of my login?",
        "My account was locked after three attempts.",
        "I want to delete my profile and all my data.",
        "The second factor code is always rejected.",
        "Please make me the owner of our team.",
        "I cannot sign in with my company login.",
        "Someone else seems to have logged in as me.",
        "How can I rename my user?",
        "My invitation to the team has expired.",
        "Remove the former employee from our members.",
        "I lost the phone that I use to confirm my login.",
        "Can I merge my two accounts into one?",
        "My profile picture cannot be changed.",
        "Which role may edit the settings of others?",
        "I never received the mail that confirms my sign-up.",
        "Please unlock the login of our new trainee.",
        "The password rules refuse everything I type.",
        "Move my user to the other organisation, please.",
        "I would like to sign out on all devices.",
    ),
}


def write_task(folder: Path) -> Path:
    """Write the task file."""
    path = folder / "support.yaml"
    path.write_text(TASK, encoding="utf-8")
    return path


def write_tickets(folder: Path) -> Path:
    """Write all tickets as one CSV table."""
    path = folder / "tickets.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("text", "label"))
        rows.writerows((text, name) for name, texts in TICKETS.items() for text in texts)
    return path
