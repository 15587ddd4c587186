"""The app's processes as Splunk starts them: action, forwarder and deliver handler."""
