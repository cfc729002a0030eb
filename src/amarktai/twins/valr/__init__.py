"""VALR's twin, after the saved requests and answers of VALR's Postman collection (to 17 November 2025)."""
