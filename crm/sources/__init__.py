"""Knowledge sources that this app answers: free visit slots and the customer's history."""
