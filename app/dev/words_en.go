package dev

func english() language {
	return language{
		first: []string{"Ann", "Ben", "Chloe", "Daniel", "Emma", "Finn", "Grace", "Harry", "Isla", "Jack", "Kate", "Liam", "Maya", "Noah", "Olivia", "Paul", "Quinn", "Ruby", "Sam", "Tessa", "Umar", "Violet", "Will", "Yasmin", "Zoe"},
		last:  []string{"Archer", "Baker", "Carter", "Davies", "Evans", "Foster", "Green", "Hughes", "Irving", "Jones", "Khan", "Lewis", "Morgan", "Nelson", "Owens", "Patel", "Reed", "Shaw", "Turner", "Walker", "Young", "O'Brien"},
		zones: []string{"Europe/London", "America/New_York", "America/Los_Angeles", "Australia/Sydney", "Europe/Dublin"},
		inbox: theme{name: "Inbox", labels: []string{"soon", "someday"}, tasks: once(
			"Call {person} back", "Renew the passport", "Book a table for {number}", "Reply to {person} about Saturday", "Pick up the parcel", "Look for the warranty of the kettle",
			"Cancel the gym trial", "Ask {person} for the photos", "Return the library books", "Change the address at the bank", "Find a plumber", "Read the article that {person} sent")},
		themes: []theme{
			{name: "Groceries", color: "#2e7d32", shared: true, labels: []string{"market", "bakery"}, tasks: append(once(
				"Oat milk", "Sourdough loaf", "{number} lemons", "Coffee beans", "Olive oil", "Eggs, a dozen", "Tomatoes for the sauce", "Basil", "Dishwasher tablets", "Cheese for {person}", "Bananas", "Bin bags"),
				idea{"Weekly shop", "FREQ=WEEKLY;BYDAY=SA"})},
			{name: "Home", color: "#6d4c41", shared: true, labels: []string{"garden", "repair", "paperwork"}, tasks: append(once(
				"Fix the dripping tap", "Paint the hallway", "Defrost the freezer", "Bleed the radiators", "Sort the box of cables", "Hang the mirror", "Order a new filter", "Sharpen the kitchen knives", "Get {number} shelf brackets", "Ask {person} to lend the ladder"),
				idea{"Water the plants", "FREQ=DAILY;INTERVAL=3"}, idea{"Take out the recycling", "FREQ=WEEKLY;BYDAY=TH"}, idea{"Pay the rent", "FREQ=MONTHLY;BYMONTHDAY=1"}, idea{"Test the smoke alarms", "FREQ=MONTHLY;BYDAY=1SU"})},
			{name: "Work", color: "#1565c0", labels: []string{"meeting", "review", "writing"}, tasks: append(once(
				"Send {person} the slides", "Review the pull request of {person}", "Prepare the talk for {month}", "Write the release notes", "Answer the support queue", "Plan the offsite in {month}", "Interview candidate {number}", "Clean up the staging data", "Estimate the import feature", "Draft the budget for {month}", "Book travel to the client"),
				idea{"Weekly report", "FREQ=WEEKLY;BYDAY=FR"}, idea{"Stand-up notes", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"}, idea{"Submit expenses", "FREQ=MONTHLY;BYMONTHDAY=25"})},
			{name: "Trip to Lisbon", color: "#ef6c00", shared: true, labels: []string{"booking", "packing"}, tasks: once(
				"Book the flights", "Reserve {number} nights near Alfama", "Check the passports", "Buy a travel adapter", "Download offline maps", "Ask {person} about restaurants", "Pack sun cream", "Tram tickets", "Travel insurance", "Let {person} know when we land")},
			{name: "Health", color: "#c62828", labels: []string{"appointment"}, tasks: append(once(
				"Dentist appointment", "Renew the prescription", "Book an eye test", "New running shoes", "Blood test before {month}"),
				idea{"Run {number} km", "FREQ=WEEKLY;BYDAY=TU,SA"}, idea{"Take vitamins", "FREQ=DAILY"}, idea{"Dental check-up", "FREQ=MONTHLY;INTERVAL=6"})},
			{name: "Birthday party", color: "#ad1457", shared: true, labels: []string{"food", "guests"}, tasks: once(
				"Invite {person}", "Order the cake", "Playlist", "{number} balloons", "Borrow chairs from {person}", "Decide on a present for {person}", "Candles", "Ask about allergies")},
			{name: "Reading", color: "#4527a0", labels: []string{"novel", "essay"}, tasks: once(
				"Finish the book from {person}", "Middlemarch, chapter {number}", "Article about SQLite", "A Room of One's Own", "Pick a book for the club in {month}", "Return Dune to {person}")},
			{name: "Side project", color: "#00838f", labels: []string{"design", "bug"}, tasks: append(once(
				"Sketch the sign-in screen", "Fix the date picker", "Name the thing", "Ask {person} to test it", "Set up error reports", "Dark mode", "Empty states", "Write {number} end-to-end tests"),
				idea{"Back up the laptop", "FREQ=WEEKLY;BYDAY=SU"})},
		},
		notes: []string{"The number is on the fridge.", "See the mail from {person}.", "Not before the {number}th.", "Two options:\n- the cheap one\n- the one that lasts", "https://example.com/details", "Ask for the receipt.", "It took {number} minutes last time."},
		steps: []string{"Get a quote", "Make a list", "Compare prices", "Ask {person}", "Do it", "Check it once more"},
	}
}
