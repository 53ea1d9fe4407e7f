"""One setting holds the repository's address; every link to it appears or stays hidden with it."""

from rnncourse.notebooks.colab import pages_address


def configure(app, config):
    """Show the edit, issue, Colab and source links only when there is somewhere to lead to."""
    options = config.html_theme_options
    address = (options.get("repository_url") or "").rstrip("/")
    if not address:
        for key in ("repository_url", "repository_branch", "path_to_docs", "launch_buttons"):
            options.pop(key, None)
        return
    options.update(
        repository_url=address,
        use_repository_button=True,
        use_issues_button=True,
        use_edit_page_button=True,
        launch_buttons={"colab_url": "https://colab.research.google.com"},
    )
    if not config.html_baseurl:
        config.html_baseurl = pages_address(address)


def connect(app):
    """Run before the theme reads its options; the sitemap and social cards need an address too."""
    app.add_config_value("comments_config", {}, "")  # Jupyter Book sets it for an extension that is not loaded
    app.connect("config-inited", configure, priority=100)
    options = app.config.html_theme_options
    if app.config.html_baseurl or options.get("repository_url"):
        app.setup_extension("sphinx_sitemap")
        app.config.sitemap_url_scheme = "{link}"
        app.setup_extension("sphinxext.opengraph")
