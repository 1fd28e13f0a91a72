/**
 * What each plugin of plugins.txt offers to a Jenkinsfile: steps, agents, options and kinds of credentials. Looked up in the
 * plugins' own documentation. What no listed plugin offers is refused as a Jenkins without that plugin refuses it.
 */
class Offered {
  static final Map<String, List<String>> BY = [
    // Declarative pipelines, and the steps that its parts bring.
    'workflow-aggregator': ['pipeline', 'sh', 'echo', 'error', 'checkout', 'script', 'deleteDir', 'readFile', 'fileExists', 'readTrusted',
                            'archiveArtifacts', 'stash', 'unstash', 'timeout', 'withEnv', 'node', 'input', 'buildDiscarder',
                            'disableConcurrentBuilds', 'parallelsAlwaysFailFast', 'preserveStashes', 'skipDefaultCheckout'],
    kubernetes: ['agent kubernetes', 'podTemplate', 'container'],
    git: ['checkout'],
    'credentials-binding': ['withCredentials', 'string', 'file'],
    'lockable-resources': ['lock'],
    junit: ['junit'],
    coverage: ['recordCoverage'],
    timestamper: ['timestamps'],
  ]

  final Set<String> plugins

  Offered(Collection<String> plugins) { this.plugins = plugins as Set }

  /** Refuse what a plugin offers that is not there. All that offer something must be there: a checkout takes git, too. */
  void need(String name) {
    def missing = BY.findAll { name in it.value && !(it.key in plugins) }.keySet()
    if (missing) throw new Invalid("No such DSL method '${name}': no listed plugin offers it (${missing.join(', ')} would)")
    if (!BY.any { name in it.value }) throw new Invalid("no plugin is known to offer ${name}")
  }
}
