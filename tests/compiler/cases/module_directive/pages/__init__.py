from steps import download as fetch_page
